"""The facts of certificates, made by OpenSSL."""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.certificates import Pair, self_signed

from varka.configdump.certificate import parse_pem
from varka.configdump.reader import Dump
from varka.configdump.secrets import rows, secret_items


@pytest.fixture
def pem(tmp_path: Path) -> str:
    pair = Pair(tmp_path / "pem", tmp_path / "key")
    names = "DNS:a,URI:spiffe://td/ns/default/sa/x"
    self_signed(pair, "/O=varka", names=names, serial="0xfedcba", days=30)
    return pair.certificate.read_text()


def test_facts(pem: str) -> None:
    found = parse_pem(pem)
    assert (found.serial, found.authority, found.trust_domain) == (0xFEDCBA, True, "td")
    assert found.not_after - found.not_before == timedelta(days=30)
    assert abs(found.not_before - datetime.now(UTC)) < timedelta(hours=1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----",
    ],
)
def test_no_certificate(text: str) -> None:
    with pytest.raises(ValueError):
        parse_pem(text)


def test_a_secret_shows_its_trust_domain_when_all_have_one(pem: str) -> None:
    chain = {
        "tls_certificate": {
            "certificate_chain": {"inline_bytes": base64.b64encode(pem.encode()).decode()}
        }
    }
    section = {
        "@type": "type.googleapis.com/envoy.admin.v3.SecretsConfigDump",
        "dynamic_active_secrets": [{"name": "default", "secret": chain}],
    }
    table = rows(secret_items(Dump({"configs": [section]})), datetime.now(UTC), named=True)
    assert table[0][-1] == "TRUST DOMAIN"
    assert table[1][:5] == ("secret/default", "CA", "ACTIVE", "true", f"{0xFEDCBA:032x}")
    assert table[1][-1] == "td"
