"""Inbound listeners of sidecars: `virtualInbound` with chains for each port the workload serves,
and the listeners that `Sidecar.ingress` binds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from envoy.config.core.v3 import base_pb2
from envoy.config.listener.v3 import listener_components_pb2 as components
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_components_pb2, route_pb2
from msgspec import Struct

from varka.base.names import FieldOrigin
from varka.base.settings import Settings
from varka.envoy import wkt
from varka.envoy.build import Build, ListenerBuild
from varka.envoy.istio_names import stat_name
from varka.envoy.listeners import filters
from varka.envoy.listeners.accesslog import listener_logs
from varka.envoy.listeners.addresses import additional, socket, wildcards
from varka.envoy.listeners.chains import TcpTarget, WeightedCluster, config_metadata, origins
from varka.envoy.listeners.inbound_ports import InboundPort, inbound_ports, passing_ports
from varka.envoy.listeners.inspect import inspectors
from varka.envoy.listeners.manager import HttpManager
from varka.envoy.listeners.mtls import ChainKind, chain_kinds, mesh_socket
from varka.envoy.listeners.networkfilters.chain import network_filters
from varka.envoy.listeners.parts import ListenerParts, Side
from varka.envoy.listeners.tcp import idle_timeout
from varka.envoy.listeners.tls import downstream_socket
from varka.envoy.listeners.virtual import black_hole_chain
from varka.envoy.resource import EnvoyResource, Layer, TypeUrl, encode
from varka.envoy.routes.route import inbound_route
from varka.envoy.sockets import Socket, secrets_of
from varka.mesh.model import Inbound
from varka.proxy.node import Interception
from varka.registry.service import Protocol
from varka.resources.model.mesh import MeshConfig

VIRTUAL_INBOUND = "virtualInbound"
CATCH_ALL_HTTP = "virtualInbound-catchall-http"


class InboundListener(Struct, frozen=True):
    """What a listener takes, by port."""

    ports: tuple[InboundPort, ...]

    @property
    def fields(self) -> tuple[FieldOrigin, ...]:
        return tuple(dict.fromkeys(field for port in self.ports for field in port.fields))


class _Chain(NamedTuple):
    message: components.FilterChain
    socket: Socket | None


def inbound_layer(build: ListenerBuild, inbound: Inbound, settings: Settings) -> ListenerParts:
    """One layer: inbound listeners have their routes in them, so none are named."""
    if not build.config.proxy_inbound_listen_port or not build.config.proxy_listen_port:
        return ListenerParts((), frozenset())
    ports = sorted(inbound_ports(build, inbound, settings), key=lambda port: port.target)
    passing = passing_ports(inbound.peers, {port.target for port in ports})
    redirected = (*passing, *(port for port in ports if not port.bound))
    resources = [build.once(bound_listener, port) for port in ports if port.bound]
    if build.traits.interception is not Interception.NONE:
        resources.insert(0, build.once(virtual_inbound, redirected))
    return ListenerParts((build.memo(Layer.of, tuple(resources)),), frozenset())


def virtual_inbound(build: ListenerBuild, ports: tuple[InboundPort, ...]) -> EnvoyResource:
    """Where inbound connections are redirected: chains by destination port, and passing through for
    all other ports."""
    number = build.config.proxy_inbound_listen_port
    chains = [
        _Chain(black_hole_chain(build, f"{VIRTUAL_INBOUND}-blackhole", number), None),
        *(chain for port in ports for chain in _chains(build, port)),
    ]
    listener = _listener(build, VIRTUAL_INBOUND, wildcards(build.traits), number, chains)
    redirect = [filters.original_dst()]
    if build.traits.interception is Interception.TPROXY:
        listener.transparent.value = True
        redirect.append(filters.original_src())
    listener.listener_filters.extend([*redirect, *inspectors(listener.filter_chains)])
    return _encoded(listener, InboundListener(ports), chains)


def bound_listener(build: ListenerBuild, port: InboundPort) -> EnvoyResource:
    """A port of `Sidecar.ingress` that is bound instead of redirected to."""
    chains = list(_chains(build, port))
    listener = _listener(build, port.name, (port.bind,), port.target, chains)
    listener.listener_filters.extend(inspectors(listener.filter_chains))
    return _encoded(listener, InboundListener((port,)), chains)


def _encoded(
    listener: listener_pb2.Listener, planned: InboundListener, chains: Iterable[_Chain]
) -> EnvoyResource:
    return encode(
        TypeUrl.LISTENER,
        listener.name,
        listener,
        origins(planned.fields),
        planned=planned,
        secrets=secrets_of(chain.socket for chain in chains),
        inbound=True,
    )


def _listener(
    build: ListenerBuild,
    name: str,
    addresses: tuple[str, ...],
    port: int,
    chains: Iterable[_Chain],
) -> listener_pb2.Listener:
    listener = listener_pb2.Listener(
        name=name,
        address=socket(addresses[0], port),
        additional_addresses=additional(addresses[1:], port),
        filter_chains=[chain.message for chain in chains],
        traffic_direction=base_pb2.INBOUND,
        continue_on_listener_filters_timeout=True,
        max_connections_to_accept_per_socket_event=wkt.uint32(1),
        access_log=listener_logs(build, Side.INBOUND),
    )
    if build.config.protocol_detection_timeout is not None:
        listener.listener_filters_timeout.CopyFrom(
            wkt.duration(build.config.protocol_detection_timeout)
        )
    return listener


def _chains(build: ListenerBuild, port: InboundPort) -> Iterator[_Chain]:
    for kind in chain_kinds(port.protocol, port.mtls, port.tls is not None):
        match = components.FilterChainMatch(
            application_protocols=kind.alpn, transport_protocol=kind.transport
        )
        if port.target:
            match.destination_port.value = port.target
        name = port.name if not port.passes else CATCH_ALL_HTTP if kind.http else VIRTUAL_INBOUND
        target = _http(build, port) if kind.http else _tcp(build, port)
        taken_off = _socket(build, port, kind)
        message = components.FilterChain(
            name=name,
            filter_chain_match=match,
            filters=network_filters(build, Side.INBOUND, target),
            transport_socket=taken_off.message if taken_off is not None else None,
            metadata=config_metadata(port.config),
        )
        yield _Chain(message, taken_off)


def _socket(build: Build, port: InboundPort, kind: ChainKind) -> Socket | None:
    """The TLS that a chain takes off."""
    if not kind.terminated:
        return None
    return (
        mesh_socket(build, http=kind.http)
        if port.tls is None
        else downstream_socket(build, port.tls)
    )


def _http(build: ListenerBuild, port: InboundPort) -> HttpManager:
    prefix = port.cluster if port.passes else f"inbound_{port.name}"
    return HttpManager(
        Side.INBOUND,
        stat_name(prefix),
        _routes(port, build.config),
        grpc_web=port.protocol is Protocol.GRPC_WEB,
        http2=port.protocol.is_http2,
    )


def _routes(port: InboundPort, config: MeshConfig) -> route_pb2.RouteConfiguration:
    """Everything goes to the workload."""
    operation = f"{port.host}:{port.port}/*"
    route = inbound_route(
        port.cluster, operation, port.protocol, config.default_inbound_http_retry_policy
    )
    host = route_components_pb2.VirtualHost(
        name=f"inbound|http|{port.port}", domains=["*"], routes=[route]
    )
    return route_pb2.RouteConfiguration(
        name=port.cluster, virtual_hosts=[host], validate_clusters=wkt.boolean(False)
    )


def _tcp(build: ListenerBuild, port: InboundPort) -> TcpTarget:
    return TcpTarget(
        (WeightedCluster(port.cluster),),
        port.stat_prefix or port.cluster,
        idle_timeout(build.traits),
        mongo=port.protocol is Protocol.MONGO,
    )
