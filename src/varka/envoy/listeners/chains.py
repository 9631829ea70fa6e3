"""Filter chains as values: what a chain matches and where it sends, before any protobuf is made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from envoy.config.core.v3 import base_pb2
from envoy.config.listener.v3 import listener_components_pb2 as components
from msgspec import Struct

from varka.base.duration import Duration
from varka.base.names import ClusterName, FieldOrigin, Hostname, ObjectKey
from varka.envoy import wkt
from varka.envoy.istio_names import ISTIO, istio_metadata
from varka.envoy.listeners.addresses import UNSPECIFIED, cidr_range, network
from varka.mesh.model import MergedVirtualService

RAW_BUFFER = "raw_buffer"
TLS = "tls"
PLAINTEXT_HTTP = ("http/1.1", "h2c")
"""What the HTTP inspector says of plain HTTP. HTTP/1.0 is not among them: it goes on as bytes,
rather than be refused."""
MTLS = ("istio", "istio-peer-exchange", "istio-http/1.0", "istio-http/1.1", "istio-h2")
"""What the mesh's own clients offer."""
HANDSHAKE_TIMEOUT = Duration.seconds(15)
"""PILOT_GATEWAY_TRANSPORT_SOCKET_CONNECT_TIMEOUT: how long a client may take for its TLS
handshake."""


class WeightedCluster(NamedTuple):
    """Where connections of a TCP chain go; the weight of a single one does not matter."""

    name: ClusterName
    weight: int = 1
    field: FieldOrigin | None = None
    """The destination of a rule: `spec.tcp[1].route[0]`."""


class TcpTarget(Struct, frozen=True):
    """`envoy.filters.network.tcp_proxy` and what goes before it."""

    clusters: tuple[WeightedCluster, ...]
    stat_prefix: str
    idle_timeout: Duration | None = None
    max_duration: Duration | None = None
    hash_source_ip: bool = False
    tunnel: tuple[str, bool] | None = None
    """`host:port` to CONNECT to, and whether to POST instead."""
    mongo: bool = False
    sni_forward: tuple[Hostname, int] | None = None
    """Resolve the SNI: the wildcard host whose DNS cache is used, and the port to connect to."""
    logged: bool = True


class HttpTarget(Struct, frozen=True):
    """An HTTP connection manager whose routes come by RDS."""

    route: str
    grpc_web: bool = False
    dynamic: tuple[Hostname, ...] = ()
    """Wildcard hosts of this listener that a dynamic forward proxy resolves."""


class Chain(Struct, frozen=True):
    target: TcpTarget | HttpTarget
    sni: tuple[str, ...] = ()
    cidrs: tuple[str, ...] = ()
    alpn: tuple[str, ...] = ()
    transport: str = ""
    config: ObjectKey | None = None
    """The rule that made it, for `filter_metadata.istio.config`."""
    fields: tuple[FieldOrigin, ...] = ()
    """What it follows from: the field of the rule or server that asks for it, then the objects that
    say how."""

    @property
    def matches_all(self) -> bool:
        return not (self.names or self.alpn or self.transport or self.cidrs)

    @property
    def names(self) -> tuple[str, ...]:
        """The SNI values that are told apart; none when any will do."""
        return () if "*" in self.sni else self.sni

    @property
    def identity(self) -> tuple[object, ...]:
        """Chains of one listener with equal identity would match the same connections: Envoy
        refuses both."""
        networks = {
            network(c) or c for c in self.cidrs if c.partition("/")[0] != UNSPECIFIED and c != "*"
        }
        return (self.transport, self.alpn, frozenset(self.names), frozenset(networks))

    def match(self) -> components.FilterChainMatch | None:
        """`filter_chain_match`; None when it matches everything."""
        if self.matches_all:
            return None
        found = components.FilterChainMatch(
            application_protocols=self.alpn, transport_protocol=self.transport
        )
        found.server_names.extend(sorted(self.names))
        found.prefix_ranges.extend(
            r for c in sorted(self.cidrs) if (r := cidr_range(c)) is not None
        )
        return found


def origins(fields: Iterable[FieldOrigin]) -> tuple[ObjectKey, ...]:
    """The objects of fields, each once."""
    return tuple(dict.fromkeys(field.key for field in fields))


def rule_field(rule: MergedVirtualService, *path: str | int) -> FieldOrigin:
    """The field of a VirtualService; the object alone where the rule stands for one of another
    kind."""
    return FieldOrigin(rule.key, () if rule.semantics else ("spec", *path))


def rule_fields(rule: MergedVirtualService, *path: str | int) -> tuple[FieldOrigin, ...]:
    """The field, and the objects that are merged into the rule."""
    others = (FieldOrigin(source) for source in rule.sources if source != rule.key)
    return (rule_field(rule, *path), *others)


def config_metadata(key: ObjectKey | None) -> base_pb2.Metadata | None:
    """`filter_metadata.istio.config` of an object; None without one."""
    if key is None:
        return None
    return base_pb2.Metadata(filter_metadata={ISTIO: wkt.struct({"config": istio_metadata(key)})})
