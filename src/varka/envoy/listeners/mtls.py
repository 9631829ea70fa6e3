"""Mutual TLS between workloads: which inbound chains a port has, and the TLS they terminate."""

from __future__ import annotations

from envoy.extensions.transport_sockets.tls.v3 import common_pb2, tls_pb2
from msgspec import Struct
from msgspec.structs import replace

from varka.envoy import wkt
from varka.envoy.build import Build
from varka.envoy.listeners.chains import MTLS, PLAINTEXT_HTTP, RAW_BUFFER, TLS
from varka.envoy.listeners.tls import ALPN
from varka.envoy.sockets import Socket, tls_socket
from varka.envoy.tls import ROOTS, WORKLOAD, mesh_secret
from varka.mesh.model import MutualTls
from varka.registry.service import Protocol
from varka.resources.model.mesh import MeshConfig, TLSProtocol

HTTP_ALPN = (
    "istio-http/1.0",
    "istio-http/1.1",
    "istio-h2",
    "istio-HTTP/1.0",
    "istio-HTTP/1.1",
    "istio-HTTP/2",
)
"""What clients of the mesh offer for requests: Istio's proxies, and then plain Envoys, which can
name the protocol only in their own words."""
TCP_ALPN = ("istio-peer-exchange", "istio")
ANY_ALPN = tuple(dict.fromkeys((*MTLS, *HTTP_ALPN)))
_CIPHERS = tuple(
    f"{exchange}{cipher}"
    for exchange, cipher in (
        ("ECDHE-ECDSA-", "AES256-GCM-SHA384"),
        ("ECDHE-RSA-", "AES256-GCM-SHA384"),
        ("ECDHE-ECDSA-", "AES128-GCM-SHA256"),
        ("ECDHE-RSA-", "AES128-GCM-SHA256"),
        ("", "AES256-GCM-SHA384"),
        ("", "AES128-GCM-SHA256"),
    )
)


class ChainKind(Struct, frozen=True):
    """One row of the table of inbound chains: what is matched, and as what it is served."""

    http: bool
    transport: str = RAW_BUFFER
    alpn: tuple[str, ...] = ()
    terminated: bool = False
    """TLS ends here; else what comes in is passed on as it is."""


_HTTP, _TCP = ChainKind(http=True), ChainKind(http=False)
_HTTP_TLS, _TCP_TLS = (replace(kind, transport=TLS, terminated=True) for kind in (_HTTP, _TCP))
_TCP_OWN_TLS = replace(_TCP, transport=TLS)
_SNIFFED = replace(_HTTP, alpn=PLAINTEXT_HTTP)
_KINDS: dict[tuple[str, MutualTls], tuple[ChainKind, ...]] = {
    ("http", MutualTls.DISABLE): (_HTTP,),
    ("http", MutualTls.PERMISSIVE): (replace(_HTTP_TLS, alpn=ANY_ALPN), _HTTP),
    ("http", MutualTls.STRICT): (_HTTP_TLS,),
    ("tcp", MutualTls.DISABLE): (_TCP,),
    ("tcp", MutualTls.PERMISSIVE): (replace(_TCP_TLS, alpn=ANY_ALPN), _TCP_OWN_TLS, _TCP),
    ("tcp", MutualTls.STRICT): (_TCP_TLS,),
    ("auto", MutualTls.DISABLE): (_SNIFFED, _TCP),
    ("auto", MutualTls.PERMISSIVE): (
        replace(_HTTP_TLS, alpn=HTTP_ALPN),
        _SNIFFED,
        replace(_TCP_TLS, alpn=TCP_ALPN),
        _TCP,
        _TCP_OWN_TLS,
    ),
    ("auto", MutualTls.STRICT): (replace(_HTTP_TLS, alpn=HTTP_ALPN), _TCP_TLS),
}


def chain_kinds(protocol: Protocol, mode: MutualTls, own_tls: bool) -> tuple[ChainKind, ...]:
    """The chains of a port. `own_tls`: it terminates TLS with certificates of its own, which takes
    no mesh TLS beside it."""
    if own_tls:
        return (_HTTP_TLS if protocol.is_http else _TCP_TLS,)
    family = "http" if protocol.is_http else "auto" if protocol is Protocol.AUTO else "tcp"
    return _KINDS[family, mode]


def mesh_socket(build: Build, *, http: bool) -> Socket:
    """The transport socket of chains that take mesh mTLS: any identity of the trust domain and its
    aliases may come in.

    Its ALPN leaves out what clients of the mesh offer to tell themselves from others: it would get
    in the way of negotiating the protocol inside.
    """
    context = tls_pb2.DownstreamTlsContext(require_client_certificate=wkt.boolean(True))
    common = context.common_tls_context
    common.alpn_protocols.extend(
        ALPN if http or not build.traits.istio_filters else ("istio-peer-exchange", *ALPN)
    )
    common.tls_certificate_sds_secret_configs.append(mesh_secret(WORKLOAD, build.traits))
    combined = common.combined_validation_context
    for domain in dict.fromkeys((build.config.trust_domain, *build.config.trust_domain_aliases)):
        matcher = combined.default_validation_context.match_typed_subject_alt_names.add()
        matcher.san_type = common_pb2.SubjectAltNameMatcher.URI
        matcher.matcher.prefix = f"spiffe://{domain}/"
    combined.validation_context_sds_secret_config.CopyFrom(mesh_secret(ROOTS, build.traits))
    _parameters(common.tls_params, build.config)
    return tls_socket(context)


def _parameters(params: common_pb2.TlsParameters, config: MeshConfig) -> None:
    """`meshConfig.meshMTLS`."""
    given, versions = config.mesh_mTLS, common_pb2.TlsParameters
    params.cipher_suites.extend((given.cipher_suites if given is not None else ()) or _CIPHERS)
    newest = given is not None and given.min_protocol_version is TLSProtocol.TLSV1_3
    params.tls_minimum_protocol_version = versions.TLSv1_3 if newest else versions.TLSv1_2
    params.tls_maximum_protocol_version = versions.TLSv1_3
