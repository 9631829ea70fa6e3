"""TLS settings of servers: Gateways and Sidecar ingress."""

from __future__ import annotations

from collections.abc import Sequence

from varka.resources.codes import Code
from varka.resources.model.networking import ServerTLSSettings, TLSCertificate, TLSProtocol
from varka.resources.model.networking import ServerTLSSettingsTLSmode as Mode
from varka.resources.tlsnames import CURVES, is_cipher
from varka.resources.validate.cursor import Cursor

_TERMINATING = (Mode.SIMPLE, Mode.MUTUAL, Mode.OPTIONAL_MUTUAL)


def check_server_tls(tls: ServerTLSSettings | None, code: Code, here: Cursor) -> None:
    if tls is None:
        return
    _check_ciphers(tls, code, here)
    check_curves(tls.ecdh_curves, code, here)
    if tls.mode == Mode.ISTIO_MUTUAL:
        for name in _sources(tls):
            if name != "caCrl":
                here.at(name).error(
                    code, f"mode ISTIO_MUTUAL uses the mesh's own certificates; {name} can't be set"
                )
        return
    if tls.mode in (Mode.PASSTHROUGH, Mode.AUTO_PASSTHROUGH) and _sources(tls):
        here.at(_sources(tls)[0]).warning(
            code, f"mode {tls.mode} uses no certificates, they are ignored", "set mode: SIMPLE"
        )
    ways = (
        tls.server_certificate and tls.private_key,
        tls.credential_name,
        tls.credential_names,
        tls.tls_certificates,
    )
    if sum(bool(way) for way in ways) > 1:
        what = (
            "only one of credentialName, credentialNames, tlsCertificates and serverCertificate"
            " with privateKey can be set"
        )
        here.error(code, what)
    if tls.mode not in _TERMINATING or not (tls.credential_name or tls.credential_names):
        _check_files(tls, code, here)
        _check_crl(tls, code, here)
    _check_unused(tls, code, here)


def _sources(tls: ServerTLSSettings) -> list[str]:
    given = {
        "serverCertificate": tls.server_certificate,
        "privateKey": tls.private_key,
        "caCertificates": tls.ca_certificates,
        "tlsCertificates": tls.tls_certificates,
        "credentialName": tls.credential_name,
        "credentialNames": tls.credential_names,
        "caCrl": tls.ca_crl,
    }
    return [name for name, value in given.items() if value]


def _check_ciphers(tls: ServerTLSSettings, code: Code, here: Cursor) -> None:
    if (
        tls.min_protocol_version in (TLSProtocol.TLSV1_0, TLSProtocol.TLSV1_1)
        and not tls.cipher_suites
    ):
        here.at("minProtocolVersion").warning(
            code, "TLS below 1.2 needs cipherSuites that old versions can use"
        )
    seen: set[str] = set()
    for place, suite in here.each("cipherSuites", tls.cipher_suites):
        if suite and not is_cipher(suite):
            place.warning(code, f"{suite!r} is no supported cipher suite and is ignored")
        elif suite in seen:
            place.warning(code, f"cipher suite {suite!r} is there twice")
        seen.add(suite)


def check_curves(curves: Sequence[str], code: Code, here: Cursor) -> None:
    seen: set[str] = set()
    for place, curve in here.each("ecdhCurves", curves):
        if curve and curve not in CURVES:
            place.warning(code, f"{curve!r} is no known curve and is ignored")
        elif curve in seen:
            place.warning(code, f"{curve!r} is there twice")
        seen.add(curve)


def _check_files(tls: ServerTLSSettings, code: Code, here: Cursor) -> None:
    if tls.mode not in _TERMINATING:
        return
    if tls.mode != Mode.SIMPLE and not tls.ca_certificates:
        here.error(
            code, f"mode {tls.mode} needs caCertificates to check clients", "or a credentialName"
        )
    if len(tls.tls_certificates) > 2:
        here.at("tlsCertificates").warning(code, "more than two certificates are not supported")
    pairs: list[tuple[Cursor, TLSCertificate | ServerTLSSettings]] = [
        *here.each("tlsCertificates", tls.tls_certificates)
    ]
    for place, pair in pairs or [(here, tls)]:
        for name, value in (
            ("serverCertificate", pair.server_certificate),
            ("privateKey", pair.private_key),
        ):
            if not value:
                place.error(code, f"mode {tls.mode} needs a {name}", "or a credentialName")


def _check_crl(tls: ServerTLSSettings, code: Code, here: Cursor) -> None:
    if tls.ca_crl and tls.credential_name:
        here.at("caCrl").error(
            code, "with credentialName the revocation list belongs into the credential"
        )
    if tls.ca_crl and tls.mode == Mode.SIMPLE:
        here.at("caCrl").error(
            code, "mode SIMPLE checks no clients, so it has no use for a revocation list"
        )


def _check_unused(tls: ServerTLSSettings, code: Code, here: Cursor) -> None:
    """What the other settings leave without effect."""
    for place, pair in here.each("tlsCertificates", tls.tls_certificates):
        if pair.ca_certificates:
            message = (
                "has no effect: clients are checked against one bundle, whichever certificate they"
                " are shown"
            )
            place.at("caCertificates").warning(code, message, "set tls.caCertificates")
    if tls.ca_cert_credential_name and not (tls.credential_name or tls.credential_names):
        here.at("caCertCredentialName").warning(
            code, "has no effect without a credentialName", "set caCertificates"
        )
