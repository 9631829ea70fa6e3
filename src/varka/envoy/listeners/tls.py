"""TLS that listeners terminate: `Server.tls` of Gateways and `Sidecar.ingress.tls`.

Certificates come as SDS secrets whatever their source. Files are named `file-cert:<chain>~<key>`
and `file-root:<bundle>`, as Istio does; the control plane answers with the paths (`file_secret`),
and Envoy, which watches files that it got by SDS, serves new content without a restart.
"""

from __future__ import annotations

from envoy.extensions.transport_sockets.tls.v3 import common_pb2, secret_pb2, tls_pb2

from varka.envoy import wkt
from varka.envoy.build import Build
from varka.envoy.sockets import Socket, tls_socket
from varka.envoy.tls import (
    CA_SUFFIX,
    FILE_CERT,
    FILE_ROOT,
    ROOTS,
    WORKLOAD,
    credential,
    file,
    mesh_secret,
    validation,
)
from varka.proxy.traits import Traits
from varka.resources.model.mesh import MeshConfig
from varka.resources.model.mesh import TLSProtocol as MeshProtocol
from varka.resources.model.networking import ServerTLSSettings, TLSProtocol
from varka.resources.model.networking import ServerTLSSettingsTLSmode as Mode
from varka.resources.tlsnames import known_ciphers, known_curves

ALPN = ("h2", "http/1.1")
TERMINATED = (Mode.SIMPLE, Mode.MUTUAL, Mode.OPTIONAL_MUTUAL)


def terminates(tls: ServerTLSSettings | None) -> bool:
    """Not for PASSTHROUGH and AUTO_PASSTHROUGH, where TLS is the workload's affair."""
    return tls is not None and tls.mode not in (Mode.PASSTHROUGH, Mode.AUTO_PASSTHROUGH)


def downstream_socket(build: Build, tls: ServerTLSSettings) -> Socket:
    """The transport socket of a chain that terminates TLS."""
    context = tls_pb2.DownstreamTlsContext(
        require_client_certificate=wkt.boolean(tls.mode in (Mode.MUTUAL, Mode.ISTIO_MUTUAL))
    )
    common = context.common_tls_context
    common.alpn_protocols.extend(ALPN)
    _certificates(common, tls, build.traits)
    if tls.mode in (Mode.MUTUAL, Mode.OPTIONAL_MUTUAL, Mode.ISTIO_MUTUAL):
        combined = common.combined_validation_context
        combined.default_validation_context.CopyFrom(_client_rules(tls))
        combined.validation_context_sds_secret_config.CopyFrom(_roots(tls, build.traits))
    if tls.mode in TERMINATED:
        _parameters(common, tls, build.config)
    return tls_socket(context)


def _certificates(common: tls_pb2.CommonTlsContext, tls: ServerTLSSettings, traits: Traits) -> None:
    secrets = common.tls_certificate_sds_secret_configs
    if tls.mode is Mode.ISTIO_MUTUAL:
        secrets.append(mesh_secret(WORKLOAD, traits))
    elif names := _credentials(tls):
        secrets.extend(credential(name) for name in names)
    else:
        pairs = [(c.server_certificate, c.private_key) for c in tls.tls_certificates]
        for chain, key in pairs or [(tls.server_certificate, tls.private_key)]:
            secrets.append(
                mesh_secret(f"{FILE_CERT}{chain}~{key}" if chain and key else WORKLOAD, traits)
            )


def _credentials(tls: ServerTLSSettings) -> tuple[str, ...]:
    return tls.credential_names or ((tls.credential_name,) if tls.credential_name else ())


def _roots(tls: ServerTLSSettings, traits: Traits) -> secret_pb2.SdsSecretConfig:
    """What clients are checked against: of several certificates only one set of roots is
    possible."""
    if tls.mode is not Mode.ISTIO_MUTUAL and (names := _credentials(tls)):
        return credential(tls.ca_cert_credential_name or names[0] + CA_SUFFIX)
    named = tls.ca_certificates if tls.mode is not Mode.ISTIO_MUTUAL else ""
    return mesh_secret(FILE_ROOT + named if named else ROOTS, traits)


def _client_rules(tls: ServerTLSSettings) -> common_pb2.CertificateValidationContext:
    rules = validation(tls.subject_alt_names)
    rules.verify_certificate_spki.extend(tls.verify_certificate_spki)
    rules.verify_certificate_hash.extend(tls.verify_certificate_hash)
    if tls.ca_crl and not _credentials(tls):
        rules.crl.CopyFrom(file(tls.ca_crl))
    if tls.insecure_skip_verify:
        rules.trust_chain_verification = common_pb2.CertificateValidationContext.ACCEPT_UNTRUSTED
    return rules


def _parameters(
    common: tls_pb2.CommonTlsContext, tls: ServerTLSSettings, config: MeshConfig
) -> None:
    """The server's own settings before `meshConfig.tlsDefaults`."""
    defaults, found = config.tls_defaults, common.tls_params
    if ciphers := known_ciphers(tls.cipher_suites) or (defaults.cipher_suites if defaults else ()):
        found.cipher_suites.extend(ciphers)
    if curves := known_curves(tls.ecdh_curves or (defaults.ecdh_curves if defaults else ())):
        found.ecdh_curves.extend(curves)
    if tls.min_protocol_version is not TLSProtocol.TLS_AUTO:
        found.tls_minimum_protocol_version = _version(tls.min_protocol_version)
    elif defaults is not None and defaults.min_protocol_version is not MeshProtocol.TLS_AUTO:
        found.tls_minimum_protocol_version = _version(defaults.min_protocol_version)
    if tls.max_protocol_version is not TLSProtocol.TLS_AUTO:
        found.tls_maximum_protocol_version = _version(tls.max_protocol_version)


def _version(version: TLSProtocol | MeshProtocol) -> common_pb2.TlsParameters.TlsProtocol.ValueType:
    """`TLSV1_2` is Envoy's `TLSv1_2`."""
    return common_pb2.TlsParameters.TlsProtocol.Value(version.value.replace("TLSV", "TLSv"))


def file_secret(name: str) -> secret_pb2.Secret | None:
    """The Secret that answers a `file-cert:` or `file-root:` name: paths, which the proxy reads and
    watches itself. None for other names."""
    if name.startswith(FILE_CERT):
        chain, _, key = name.removeprefix(FILE_CERT).partition("~")
        pair = common_pb2.TlsCertificate(certificate_chain=file(chain), private_key=file(key))
        return secret_pb2.Secret(name=name, tls_certificate=pair)
    if name.startswith(FILE_ROOT):
        roots = common_pb2.CertificateValidationContext(
            trusted_ca=file(name.removeprefix(FILE_ROOT))
        )
        return secret_pb2.Secret(name=name, validation_context=roots)
    return None
