"""Secrets for `credentialName`, from Kubernetes Secrets and ConfigMaps.

A secret that can't be made is a Diagnostic; the proxy then waits for it without holding up others.
"""

from __future__ import annotations

import base64
import binascii
import re
import ssl
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from envoy.extensions.transport_sockets.tls.v3 import secret_pb2
from msgspec import Struct

from varka.base.diagnostic import Diagnostic, Severity
from varka.base.memo import Memo
from varka.base.names import Namespace, ObjectKey
from varka.envoy.resource import EnvoyResource, Layer, TypeUrl, encode
from varka.envoy.tls import CA_SUFFIX
from varka.proxy.node import ProxyIdentity
from varka.resources.model.kubernetes import ConfigMap, Secret
from varka.resources.resource import Resource

Find = Callable[[ObjectKey], Resource[Any] | None]

_CERTIFICATES = (("cert", "key", ""), ("tls.crt", "tls.key", "tls.ocsp-staple"))
_ROOTS = (("cacert", "crl"), ("ca.crt", "ca.crl"))
_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----\s+(.+?)-----END \1-----", re.DOTALL)
_KEYS = (b"PRIVATE KEY", b"RSA PRIVATE KEY", b"EC PRIVATE KEY")


class Reference(Struct, frozen=True):
    """The object behind an SDS resource name of `tls.secret_name`."""

    object: ObjectKey
    ca: bool
    """Its CA certificate is meant, not its own with the key."""
    granted: bool
    """Only proxies that were granted it may have it (Gateway API references)."""


def parse(name: str, namespace: Namespace) -> Reference | None:
    """Read `kubernetes://[ns/]name`, `kubernetes-gateway://ns/name` or `configmap://ns/name` for a
    proxy of `namespace`; None for anything else."""
    scheme, _, path = name.partition("://")
    place, slash, rest = path.partition("/")
    if scheme == "kubernetes" and path:
        where, called = (place, rest) if slash else (namespace, place)
        return Reference(ObjectKey("", "Secret", where, called), called.endswith(CA_SUFFIX), False)
    if scheme == "kubernetes-gateway" and place and rest:
        return Reference(ObjectKey("", "Secret", place, rest), rest.endswith(CA_SUFFIX), True)
    if scheme == "configmap" and place and rest:
        return Reference(
            ObjectKey("", "ConfigMap", place, rest.removesuffix(CA_SUFFIX)), True, False
        )
    return None


def secret_layer(
    memo: Memo,
    names: Iterable[str],
    identity: ProxyIdentity,
    find: Find,
    granted: frozenset[str] = frozenset(),
) -> tuple[Layer, tuple[Diagnostic, ...]]:
    """The secrets that a proxy asks for by name, and why others are missing.

    A proxy may have Secrets of its own namespace, those of others only when `granted` (by their
    full name); CA certificates in ConfigMaps are public.
    """
    made: list[EnvoyResource] = []
    problems: list[Diagnostic] = []
    for name in sorted(set(names)):
        found = _secret(memo, name, identity, find, granted)
        (made if isinstance(found, EnvoyResource) else problems).append(found)  # type: ignore[arg-type]
    return memo(Layer.of, tuple(made)), tuple(problems)


def _secret(
    memo: Memo, name: str, identity: ProxyIdentity, find: Find, granted: frozenset[str]
) -> EnvoyResource | Diagnostic:
    reference = parse(name, identity.namespace)
    if reference is None:
        return _problem(
            "V6001",
            f"{name!r} names no Secret or ConfigMap",
            hint="Use a name, or configmap://namespace/name.",
        )
    key, namespace = reference.object, identity.namespace
    allowed = (
        name in granted
        if reference.granted
        else key.kind == "ConfigMap" or key.namespace == namespace
    )
    if not allowed:
        hint = f"Put the Secret into namespace {namespace}, where the proxy runs."
        return _problem("V6002", f"proxies of namespace {namespace} may not read {key}", key, hint)
    resource = find(key)
    if resource is None and reference.ca and key.kind == "Secret":
        key = key._replace(name=key.name.removesuffix(CA_SUFFIX))
        resource = find(key)
    if resource is None:
        return _problem(
            "V6003", f"{key} is not there", key, "Until it is, connections that need it fail."
        )
    return memo(ca_secret if reference.ca else tls_secret, name, resource)


def tls_secret(name: str, resource: Resource[Secret]) -> EnvoyResource | Diagnostic:
    """A certificate with its key: `tls.crt` and `tls.key`, or `cert` and `key`."""
    data = _data(resource.spec)
    for chain, key, staple in _CERTIFICATES:
        if data.get(chain) and data.get(key):
            wrong = certificate_problem(data[chain]) or key_problem(data[key])
            if wrong:
                return _problem("V6005", f"{resource.key}: {wrong}", resource.key)
            message = secret_pb2.Secret(name=name)
            message.tls_certificate.certificate_chain.inline_bytes = data[chain]
            message.tls_certificate.private_key.inline_bytes = data[key]
            if data.get(staple):
                message.tls_certificate.ocsp_staple.inline_bytes = data[staple]
            return encode(TypeUrl.SECRET, name, message, (resource.key,))
    return _lacks(resource.key, data, "tls.crt and tls.key (or cert and key)")


def ca_secret(
    name: str, resource: Resource[Secret] | Resource[ConfigMap]
) -> EnvoyResource | Diagnostic:
    """The certificates that peers are checked against: `ca.crt` or `cacert`, with their revocation
    list."""
    data = _data(resource.spec)
    for roots, revoked in _ROOTS:
        if data.get(roots):
            wrong = certificate_problem(data[roots])
            if wrong:
                return _problem("V6005", f"{resource.key}: {wrong}", resource.key)
            message = secret_pb2.Secret(name=name)
            message.validation_context.trusted_ca.inline_bytes = data[roots]
            if data.get(revoked):
                message.validation_context.crl.inline_bytes = data[revoked]
            return encode(TypeUrl.SECRET, name, message, (resource.key,))
    return _lacks(resource.key, data, "ca.crt (or cacert)")


def certificate_problem(pem: bytes) -> str:
    """What is wrong with a chain of certificates; "" when it can be used."""
    if not any(label == b"CERTIFICATE" for label, _ in _PEM.findall(pem)):
        return "it has no PEM block CERTIFICATE"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(
            cadata=pem.decode("ascii", "replace")
        )
    except (ssl.SSLError, ValueError) as error:
        return f"its certificate can't be read ({getattr(error, 'reason', None) or error})"
    return ""


def key_problem(pem: bytes) -> str:
    """What is wrong with a private key, as far as its form shows; "" when nothing."""
    bodies = [body for label, body in _PEM.findall(pem) if label in _KEYS]
    if not bodies:
        return "it has no PEM block PRIVATE KEY without a passphrase"
    try:
        der = base64.b64decode(b"".join(bodies[0].split()), validate=True)
    except binascii.Error as error:
        return f"its private key is not base64 ({error})"
    return "" if _is_sequence(der) else "its private key is cut off or garbled"


def _is_sequence(der: bytes) -> bool:
    """Whether the bytes are one whole ASN.1 SEQUENCE, as keys of all kinds are."""
    if len(der) < 2 or der[0] != 0x30:
        return False
    if der[1] < 0x80:
        return len(der) == 2 + der[1]
    width = der[1] & 0x7F
    return len(der) == 2 + width + int.from_bytes(der[2 : 2 + width], "big")


def _data(spec: Secret | ConfigMap) -> Mapping[str, bytes]:
    if isinstance(spec, ConfigMap):
        return {**spec.binary_data, **{name: value.encode() for name, value in spec.data.items()}}
    return {**spec.data, **{name: value.encode() for name, value in spec.string_data.items()}}


def _lacks(key: ObjectKey, data: Mapping[str, bytes], wanted: str) -> Diagnostic:
    empty = [name for name, value in data.items() if not value]
    there = ", ".join(sorted(data)[:3]) or "nothing"
    seen = f"{', '.join(sorted(empty))} is empty" if empty else f"it has {there}"
    return _problem("V6004", f"{key} lacks {wanted}: {seen}", key)


def _problem(code: str, message: str, key: ObjectKey | None = None, hint: str = "") -> Diagnostic:
    return Diagnostic(code, Severity.ERROR, message, object=key, hint=hint)
