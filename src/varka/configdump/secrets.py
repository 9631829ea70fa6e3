"""Secrets of a config dump: what their certificates say, never their keys."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from msgspec import Struct

from varka.configdump.certificate import Certificate, parse_pem
from varka.configdump.reader import Dump, at, items, text, without_type

Row = tuple[str, ...]

_SPIFFE = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.SPIFFECertValidatorConfig"
_COLUMNS = (
    "RESOURCE NAME",
    "TYPE",
    "STATUS",
    "VALID CERT",
    "SERIAL NUMBER",
    "NOT AFTER",
    "NOT BEFORE",
)


class SecretItem(Struct, frozen=True):
    """One certificate of a secret; `certificate` is None where it cannot be read."""

    name: str
    state: str
    certificate: Certificate | None
    bundle_domain: str = ""

    @property
    def trust_domain(self) -> str:
        if self.certificate is None:
            return ""
        return self.bundle_domain or self.certificate.trust_domain


def secrets(dump: Dump) -> dict[str, Any]:
    """The section of secrets. Raises NoSection."""
    return without_type(dump.section("SecretsConfigDump"))


def secret_items(dump: Dump) -> list[SecretItem]:
    """One entry for each certificate; warming secrets come first. Raises NoSection."""
    section = secrets(dump)
    lists = (("dynamic_warming_secrets", "WARMING"), ("dynamic_active_secrets", "ACTIVE"))
    return [
        item
        for name, state in lists
        for entry in items(section, name)
        for item in _items(entry, state)
    ]


def rows(entries: list[SecretItem], now: datetime, *, named: bool = False) -> list[Row]:
    """`now` decides whether a certificate is valid. Trust domains are shown only when every secret
    has one."""
    domains = all(item.trust_domain for item in entries)
    table: list[Row] = [(*_COLUMNS, "TRUST DOMAIN") if domains else _COLUMNS]
    for item in entries:
        row = (f"secret/{item.name}" if named else item.name, *_facts(item, now))
        table.append((*row, item.trust_domain) if domains else row)
    return table


def _facts(item: SecretItem, now: datetime) -> Row:
    certificate = item.certificate
    if certificate is None:
        return ("", item.state, "false", "", "", "")
    valid = certificate.not_before < now < certificate.not_after
    return (
        "CA" if certificate.authority else "Cert Chain",
        item.state,
        "true" if valid else "false",
        f"{certificate.serial:032x}",
        f"{certificate.not_after:%Y-%m-%dT%H:%M:%SZ}",
        f"{certificate.not_before:%Y-%m-%dT%H:%M:%SZ}",
    )


def _items(entry: Any, state: str) -> Iterator[SecretItem]:
    name, secret = text(entry, "name"), at(entry, "secret")
    chain = text(secret, "tls_certificate", "certificate_chain", "inline_bytes")
    authority = text(secret, "validation_context", "trusted_ca", "inline_bytes")
    validator = at(secret, "validation_context", "custom_validator_config", "typed_config")
    if not chain and not authority and text(validator, "@type") == _SPIFFE:
        for domain in items(validator, "trust_domains"):
            bundle = _certificate(text(domain, "trust_bundle", "inline_bytes"))
            yield SecretItem(text(secret, "name"), state, bundle, text(domain, "name"))
    else:
        yield SecretItem(name, state, _certificate(chain or authority))


def _certificate(inline_bytes: str) -> Certificate | None:
    try:
        return parse_pem(base64.b64decode(inline_bytes).decode())
    except (ValueError, binascii.Error):
        return None
