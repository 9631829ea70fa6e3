"""TLS towards upstreams, and the names of secrets that TLS of either direction asks for.

All certificates are SDS secrets, files at the proxy too: Envoy watches files that it got by SDS,
and one that is not there yet harms nobody else. Istio's proxy asks the agent beside it, a plain
Envoy the control plane.
"""

from __future__ import annotations

from collections.abc import Iterable

from envoy.config.core.v3 import base_pb2, config_source_pb2
from envoy.extensions.transport_sockets.tls.v3 import common_pb2, secret_pb2, tls_pb2
from msgspec import Struct

from varka.base.ip import is_ip
from varka.envoy.build import Build
from varka.proxy.node import ProxyType
from varka.proxy.traits import Traits
from varka.resources.model import networking
from varka.resources.tlsnames import known_curves

WORKLOAD = "default"
"""The secret with the workload's own certificate."""
ROOTS = "ROOTCA"
"""The secret with the roots that identities of the mesh are checked against."""
CA_SUFFIX = "-cacert"
"""Appended to a `credentialName`, it means the CA certificate that goes with it."""

FILE_CERT, FILE_ROOT = "file-cert:", "file-root:"
"""Secrets that are files at the proxy: `file-cert:<chain>~<key>`, `file-root:<bundle>`."""

_SYSTEM = "system"
_AGENT = "sds-grpc"
_SCHEMES = ("kubernetes://", "kubernetes-gateway://", "configmap://")
_MODE = networking.ClientTLSSettingsTLSmode


class Peer(Struct, frozen=True):
    """The other side of a cluster, as far as TLS cares."""

    sni: str = ""
    """What mesh mTLS asks for; "" for clusters of many hosts."""
    identities: tuple[str, ...] = ()
    """SPIFFE URIs and alternative names its certificate may carry."""
    identities_for_origination: bool = False
    """SIMPLE and MUTUAL check `identities` too when the rule has no `subjectAltNames`
    (ServiceEntries)."""
    selected: bool = False
    """The rule has a `workloadSelector`."""


def transport(
    build: Build,
    tls: networking.ClientTLSSettings | None,
    peer: Peer,
    http2: bool,
) -> tls_pb2.UpstreamTlsContext | None:
    """The TLS context of a cluster's connections; None for plaintext.

    The one place that decides between plaintext, TLS and mesh mTLS. ISTIO_MUTUAL needs certificates
    of the mesh; where there are none it is plaintext.
    """
    if tls is None or tls.mode is _MODE.DISABLE:
        return None
    if tls.mode is _MODE.ISTIO_MUTUAL:
        return _mutual(tls, peer, http2, build.traits) if build.traits.mesh_tls else None
    if _unreadable(tls, peer, build.traits):
        return None
    return _originate(build, tls, peer, http2)


def auto_names(
    tls: networking.ClientTLSSettings | None, dynamic: bool = False
) -> tuple[bool, bool]:
    """Whether the SNI, and the name the certificate must carry, follow the request's host.

    `dynamic`: the cluster is a dynamic forward proxy, where no fixed name can be right.
    """
    if tls is None or (tls.mode is _MODE.ISTIO_MUTUAL and not dynamic) or tls.mode is _MODE.DISABLE:
        return False, False
    sni = not tls.sni
    san = (dynamic or (sni and not tls.subject_alt_names)) and not tls.insecure_skip_verify
    return sni, san


def _unreadable(tls: networking.ClientTLSSettings, peer: Peer, traits: Traits) -> bool:
    """A `credentialName` in a rule for every sidecar: most of them may not read it and would never
    start."""
    private = bool(tls.credential_name) and not tls.credential_name.startswith("configmap://")
    if private and traits.type is ProxyType.SIDECAR and not peer.selected:
        return True
    files = tls.client_certificate and tls.private_key
    return tls.mode is _MODE.MUTUAL and not tls.credential_name and not files


def _context(sni: str) -> tls_pb2.UpstreamTlsContext:
    context = tls_pb2.UpstreamTlsContext(sni=sni)
    context.common_tls_context.tls_params.tls_minimum_protocol_version = (
        common_pb2.TlsParameters.TLSv1_2
    )
    context.common_tls_context.tls_params.tls_maximum_protocol_version = (
        common_pb2.TlsParameters.TLSv1_3
    )
    return context


def _mutual(
    tls: networking.ClientTLSSettings, peer: Peer, http2: bool, traits: Traits
) -> tls_pb2.UpstreamTlsContext:
    context = _context(tls.sni or peer.sni)
    common = context.common_tls_context
    common.tls_certificate_sds_secret_configs.append(mesh_secret(WORKLOAD, traits))
    combined = common.combined_validation_context
    combined.default_validation_context.CopyFrom(
        validation(tls.subject_alt_names or peer.identities)
    )
    combined.validation_context_sds_secret_config.CopyFrom(mesh_secret(ROOTS, traits))
    exchange = ("istio-peer-exchange",) if traits.istio_filters else ()
    common.alpn_protocols.extend((*exchange, "istio", *(("h2",) if http2 else ())))
    return context


def _originate(
    build: Build, tls: networking.ClientTLSSettings, peer: Peer, http2: bool
) -> tls_pb2.UpstreamTlsContext:
    context = _context(tls.sni)
    common = context.common_tls_context
    names = tls.subject_alt_names or (peer.identities if peer.identities_for_origination else ())
    if tls.credential_name:
        _from_secret(common, tls, names)
    else:
        _from_files(common, tls, names, build.traits)
    defaults = build.config.tls_defaults
    if defaults is not None:
        common.tls_params.ecdh_curves.extend(known_curves(defaults.ecdh_curves))
        common.tls_params.cipher_suites.extend(defaults.cipher_suites)
    if http2:
        common.alpn_protocols.append("h2")
    return context


def _from_secret(
    common: tls_pb2.CommonTlsContext, tls: networking.ClientTLSSettings, names: tuple[str, ...]
) -> None:
    if tls.mode is _MODE.MUTUAL:
        common.tls_certificate_sds_secret_configs.append(credential(tls.credential_name))
    if tls.insecure_skip_verify:
        return
    combined = common.combined_validation_context
    combined.default_validation_context.CopyFrom(validation(names))
    combined.validation_context_sds_secret_config.CopyFrom(
        credential(tls.credential_name + CA_SUFFIX)
    )


def _from_files(
    common: tls_pb2.CommonTlsContext,
    tls: networking.ClientTLSSettings,
    names: tuple[str, ...],
    traits: Traits,
) -> None:
    if tls.mode is _MODE.MUTUAL:
        pair = f"{FILE_CERT}{tls.client_certificate}~{tls.private_key}"
        common.tls_certificate_sds_secret_configs.append(mesh_secret(pair, traits))
    if tls.insecure_skip_verify:
        common.validation_context.SetInParent()
        return
    context = validation(names)
    if tls.ca_crl:
        context.crl.CopyFrom(file(tls.ca_crl))
    roots = tls.ca_certificates or _SYSTEM
    if roots == _SYSTEM and not traits.istio_filters:
        roots = traits.system_roots
    common.combined_validation_context.default_validation_context.CopyFrom(context)
    common.combined_validation_context.validation_context_sds_secret_config.CopyFrom(
        mesh_secret(FILE_ROOT + roots, traits)
    )


def validation(names: Iterable[str]) -> common_pb2.CertificateValidationContext:
    """A certificate must carry one of `names`; any when there are none."""
    context = common_pb2.CertificateValidationContext()
    for name in names:
        matcher = context.match_typed_subject_alt_names.add(san_type=_san_type(name))
        matcher.matcher.exact = name
    return context


def _san_type(name: str) -> common_pb2.SubjectAltNameMatcher.SanType.ValueType:
    kinds = common_pb2.SubjectAltNameMatcher
    if "://" in name:
        return kinds.URI
    if "@" in name:
        return kinds.EMAIL
    return kinds.IP_ADDRESS if is_ip(name) else kinds.DNS


def credential(name: str) -> secret_pb2.SdsSecretConfig:
    """The secret behind a `credentialName` of a Gateway or DestinationRule.

    No fetch timeout is given: a missing secret may not hold up a listener or cluster for longer
    than Envoy's default.
    """
    config = secret_pb2.SdsSecretConfig(name=secret_name(name))
    config.sds_config.ads.SetInParent()
    config.sds_config.resource_api_version = config_source_pb2.V3
    return config


def secret_name(credential_name: str) -> str:
    """The SDS resource that a `credentialName` means: a Secret of the proxy's namespace unless it
    says otherwise."""
    if credential_name.startswith("builtin://"):
        return ROOTS if credential_name.endswith(CA_SUFFIX) else WORKLOAD
    if credential_name.startswith("invalid://"):
        return "invalid://"
    name = credential_name.removeprefix("sds://")
    return name if name.startswith(_SCHEMES) else "kubernetes://" + name


def mesh_secret(name: str, traits: Traits) -> secret_pb2.SdsSecretConfig:
    """A secret that belongs to the workload: its certificate, the mesh's roots, files beside the
    proxy."""
    config = secret_pb2.SdsSecretConfig(name=name)
    source = config.sds_config
    source.resource_api_version = config_source_pb2.V3
    if not traits.istio_filters:
        source.ads.SetInParent()
        return config
    source.initial_fetch_timeout.SetInParent()
    source.api_config_source.api_type = config_source_pb2.ApiConfigSource.GRPC
    source.api_config_source.transport_api_version = config_source_pb2.V3
    source.api_config_source.set_node_on_first_message_only = True
    source.api_config_source.grpc_services.add().envoy_grpc.cluster_name = _AGENT
    return config


def file(path: str) -> base_pb2.DataSource:
    return base_pb2.DataSource(filename=path)
