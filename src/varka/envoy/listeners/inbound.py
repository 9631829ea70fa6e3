"""Inbound listeners of sidecars: `virtualInbound` with chains for each port the workload serves,
and the listeners that `Sidecar.ingress` binds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from envoy.config.core.v3 import base_pb2
from envoy.config.listener.v3 import listener_components_pb2 as components
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_components_pb2, route_pb2

from varka.base.settings import Settings
from varka.envoy import wkt
from varka.envoy.build import Build, ListenerBuild
from varka.envoy.istio_names import stat_name
from varka.envoy.listeners import filters
from varka.envoy.listeners.accesslog import listener_logs
from varka.envoy.listeners.addresses import additional, socket, wildcards
from varka.envoy.listeners.chains import TcpTarget, config_metadata
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
from varka.mesh.model import Inbound
from varka.proxy.node import Interception
from varka.registry.service import Protocol
from varka.resources.model.mesh import MeshConfig

VIRTUAL_INBOUND = "virtualInbound"
CATCH_ALL_HTTP = "virtualInbound-catchall-http"


def inbound_layer(
    build: ListenerBuild,
    inbound: Inbound,
    settings: Settings,
) -> ListenerParts:
    """One layer: inbound listeners have their routes in them, so none are named."""
    if not build.config.proxy_inbound_listen_port or not build.config.proxy_listen_port:
        return ListenerParts((), frozenset())
    ports = sorted(inbound_ports(build, inbound, settings), key=lambda served: served.target)
    passing = passing_ports(inbound.peers, {served.target for served in ports})
    redirected = (*passing, *(served for served in ports if not served.bound))
    resources = [build.once(bound_listener, served) for served in ports if served.bound]
    if build.traits.interception is not Interception.NONE:
        resources.insert(0, build.once(virtual_inbound, redirected))
    return ListenerParts((build.memo(Layer.of, tuple(resources)),), frozenset())


def virtual_inbound(build: ListenerBuild, served: tuple[InboundPort, ...]) -> EnvoyResource:
    """Where inbound connections are redirected: chains by destination port, and passing through for
    all other ports."""
    chains = [
        black_hole_chain(
            build, f"{VIRTUAL_INBOUND}-blackhole", build.config.proxy_inbound_listen_port
        )
    ]
    for one in served:
        chains.extend(_chains(build, one))
    listener = _listener(
        build,
        VIRTUAL_INBOUND,
        wildcards(build.traits),
        build.config.proxy_inbound_listen_port,
        chains,
    )
    redirect = [filters.original_dst()]
    if build.traits.interception is Interception.TPROXY:
        listener.transparent.value = True
        redirect.append(filters.original_src())
    listener.listener_filters.extend([*redirect, *inspectors(chains)])
    return encode(
        TypeUrl.LISTENER,
        VIRTUAL_INBOUND,
        listener,
        dict.fromkeys(o for one in served for o in one.origins),
    )


def bound_listener(build: ListenerBuild, served: InboundPort) -> EnvoyResource:
    """A port of `Sidecar.ingress` that is bound instead of redirected to."""
    chains = list(_chains(build, served))
    listener = _listener(build, served.name, (served.bind,), served.target, chains)
    listener.listener_filters.extend(inspectors(chains))
    return encode(TypeUrl.LISTENER, served.name, listener, served.origins)


def _listener(
    build: ListenerBuild,
    name: str,
    addresses: tuple[str, ...],
    port: int,
    chains: Iterable[Any],
) -> Any:
    listener = listener_pb2.Listener(
        name=name,
        address=socket(addresses[0], port),
        additional_addresses=additional(addresses[1:], port),
        filter_chains=chains,
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


def _chains(build: ListenerBuild, served: InboundPort) -> Iterator[Any]:
    for kind in chain_kinds(served.protocol, served.mtls, served.tls is not None):
        match = components.FilterChainMatch(
            application_protocols=kind.alpn, transport_protocol=kind.transport
        )
        if served.target:
            match.destination_port.value = served.target
        name = (
            served.name if not served.passes else CATCH_ALL_HTTP if kind.http else VIRTUAL_INBOUND
        )
        yield components.FilterChain(
            name=name,
            filter_chain_match=match,
            filters=network_filters(
                build, Side.INBOUND, _http(build, served) if kind.http else _tcp(build, served)
            ),
            transport_socket=_socket(build, served, kind) if kind.terminated else None,
            metadata=config_metadata(served.config),
        )


def _socket(build: Build, served: InboundPort, kind: ChainKind) -> Any:
    if served.tls is not None:
        return downstream_socket(build, served.tls)
    return mesh_socket(build, http=kind.http)


def _http(build: ListenerBuild, port: InboundPort) -> HttpManager:
    prefix = port.cluster if port.passes else f"inbound_{port.name}"
    return HttpManager(
        Side.INBOUND,
        stat_name(prefix),
        _routes(port, build.config),
        grpc_web=port.protocol is Protocol.GRPC_WEB,
        http2=port.protocol.is_http2,
    )


def _routes(served: InboundPort, config: MeshConfig) -> route_pb2.RouteConfiguration:
    """Everything goes to the workload."""
    operation = f"{served.host}:{served.port}/*"
    route = inbound_route(
        served.cluster, operation, served.protocol, config.default_inbound_http_retry_policy
    )
    host = route_components_pb2.VirtualHost(
        name=f"inbound|http|{served.port}", domains=["*"], routes=[route]
    )
    return route_pb2.RouteConfiguration(
        name=served.cluster, virtual_hosts=[host], validate_clusters=wkt.boolean(False)
    )


def _tcp(build: ListenerBuild, port: InboundPort) -> TcpTarget:
    return TcpTarget(
        ((port.cluster, 1),),
        port.stat_prefix or port.cluster,
        idle_timeout(build.traits),
        mongo=port.protocol is Protocol.MONGO,
    )
