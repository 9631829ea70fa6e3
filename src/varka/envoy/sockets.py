"""Transport sockets as values: the message, and the secrets that it asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import base_pb2
from envoy.extensions.transport_sockets.proxy_protocol.v3 import upstream_proxy_protocol_pb2
from envoy.extensions.transport_sockets.raw_buffer.v3 import raw_buffer_pb2
from envoy.extensions.transport_sockets.tls.v3 import tls_pb2
from google.protobuf.message import Message
from msgspec import Struct, field

from varka.envoy import wkt
from varka.resources.model import networking

_TLS = "envoy.transport_sockets.tls"
_RAW = "envoy.transport_sockets.raw_buffer"
_PROXY = "envoy.transport_sockets.upstream_proxy_protocol"


class Socket(Struct, frozen=True, eq=False):
    message: base_pb2.TransportSocket
    secrets: frozenset[str] = frozenset()
    """Names of SDS resources, whoever serves them."""


class MatchedSocket(Struct, frozen=True, eq=False):
    """One of a cluster's sockets. `match` are entries of an endpoint's metadata
    `envoy.transport_socket_match`; without any it is for all endpoints that no other matches."""

    socket: Socket
    name: str = ""
    match: Mapping[str, str] = field(default_factory=dict)


Sockets = tuple[MatchedSocket, ...]
"""Of a cluster, the first that matches an endpoint is used; none is plaintext."""


def tls_socket(context: tls_pb2.UpstreamTlsContext | tls_pb2.DownstreamTlsContext) -> Socket:
    return Socket(_socket(_TLS, context), _secrets(context.common_tls_context))


def raw_socket() -> Socket:
    return Socket(_socket(_RAW, raw_buffer_pb2.RawBuffer()))


def proxy_protocol_socket(version: networking.VERSION, inner: Socket | None) -> Socket:
    """PROXY protocol before whatever `inner` does; plaintext without."""
    inside = inner or raw_socket()
    wrapper = upstream_proxy_protocol_pb2.ProxyProtocolUpstreamTransport(
        transport_socket=inside.message
    )
    wrapper.config.version = int(version is networking.VERSION.V2)  # type: ignore[assignment]
    return Socket(_socket(_PROXY, wrapper), inside.secrets)


def set_sockets(cluster: cluster_pb2.Cluster, sockets: Sockets) -> frozenset[str]:
    """Give them to a cluster; the secrets they ask for. A single one for all endpoints needs no
    match."""
    if not sockets:
        return frozenset()
    if len(sockets) == 1 and not sockets[0].match:
        cluster.transport_socket.CopyFrom(sockets[0].socket.message)
    else:
        cluster.transport_socket_matches.extend(_matches(one) for one in sockets)
    return secrets_of(one.socket for one in sockets)


def secrets_of(sockets: Iterable[Socket | None]) -> frozenset[str]:
    return frozenset(name for one in sockets if one is not None for name in one.secrets)


def _matches(one: MatchedSocket) -> cluster_pb2.Cluster.TransportSocketMatch:
    return cluster_pb2.Cluster.TransportSocketMatch(
        name=one.name, match=wkt.struct(one.match), transport_socket=one.socket.message
    )


def _socket(name: str, config: Message) -> base_pb2.TransportSocket:
    return base_pb2.TransportSocket(name=name, typed_config=wkt.pack(config))


def _secrets(common: tls_pb2.CommonTlsContext) -> frozenset[str]:
    named = [secret.name for secret in common.tls_certificate_sds_secret_configs]
    combined = common.combined_validation_context
    for secret in (
        common.validation_context_sds_secret_config,
        combined.validation_context_sds_secret_config,
    ):
        named.append(secret.name)
    return frozenset(name for name in named if name)
