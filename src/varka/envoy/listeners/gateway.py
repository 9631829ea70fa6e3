"""Listeners of gateways: one for each port and address that servers of the merged Gateways name."""

from __future__ import annotations

from collections.abc import Iterable

from envoy.config.core.v3 import base_pb2
from envoy.config.listener.v3 import listener_components_pb2 as components
from envoy.config.listener.v3 import listener_pb2
from msgspec import Struct
from msgspec.structs import replace

from varka.base.names import FieldOrigin
from varka.envoy import wkt
from varka.envoy.build import ListenerBuild
from varka.envoy.istio_names import stat_name
from varka.envoy.listeners import filters
from varka.envoy.listeners.accesslog import listener_logs
from varka.envoy.listeners.addresses import additional, listener_name, wildcards
from varka.envoy.listeners.addresses import socket as bind_address
from varka.envoy.listeners.chains import HANDSHAKE_TIMEOUT, HttpTarget, origins
from varka.envoy.listeners.connection import effective_settings
from varka.envoy.listeners.gateway_chains import GatewayInputs, ServerChain, port_chains
from varka.envoy.listeners.manager import HttpManager
from varka.envoy.listeners.networkfilters.chain import network_filters
from varka.envoy.listeners.networkfilters.spec import Target
from varka.envoy.listeners.parts import ListenerParts, Side
from varka.envoy.listeners.tls import downstream_socket
from varka.envoy.proxymetadata import proxy_config
from varka.envoy.resource import EnvoyResource, Layer, TypeUrl, encode
from varka.envoy.sockets import Socket, secrets_of
from varka.mesh.bound import bound_by_gateway
from varka.mesh.model import GatewayPort, MergedGateway, Scope


class GatewayListener(Struct, frozen=True):
    """One to be; two ports of equal name are one listener."""

    binds: tuple[str, ...]
    port: int
    chains: tuple[ServerChain, ...]

    @property
    def name(self) -> str:
        return listener_name(self.binds[0], self.port)

    @property
    def fields(self) -> tuple[FieldOrigin, ...]:
        return tuple(dict.fromkeys(field for one in self.chains for field in one.chain.fields))


def gateway_layers(
    build: ListenerBuild,
    gateway: MergedGateway,
    scope: Scope,
) -> ListenerParts:
    """One layer. A port without any chain (TCP without a route) has no listener: Envoy would refuse
    it."""
    layer_4 = tuple(rule for rule in gateway.virtual_services if rule.spec.tcp or rule.spec.tls)
    inputs = GatewayInputs(
        scope,
        build.memo.nested(bound_by_gateway, layer_4),
        build.traits,
        build.config.outbound_cluster_stat_name,
    )
    planned = [found for found in _planned(gateway.ports, inputs) if found.chains]
    resources = tuple(build.once(gateway_listener, found) for found in planned)
    targets = [server_chain.chain.target for found in planned for server_chain in found.chains]
    routes = frozenset(target.route for target in targets if isinstance(target, HttpTarget))
    return ListenerParts((build.memo(Layer.of, resources),), routes)


def _planned(ports: Iterable[GatewayPort], inputs: GatewayInputs) -> Iterable[GatewayListener]:
    found: dict[str, GatewayListener] = {}
    for port in ports:
        if inputs.traits.unprivileged and port.number < 1024:
            continue
        binds = (port.bind,) if port.bind else wildcards(inputs.traits)
        new = GatewayListener(binds, port.number, tuple(port_chains(port, inputs)))
        same = found.get(new.name)
        found[new.name] = (
            new if same is None else replace(same, chains=_joined(same.chains, new.chains))
        )
    return found.values()


def _joined(
    chains: tuple[ServerChain, ...], more: Iterable[ServerChain]
) -> tuple[ServerChain, ...]:
    """`bind: 0.0.0.0` and none at all are one address: of chains that would match the same the
    first one stays."""
    found = {
        server_chain.chain.identity: server_chain for server_chain in reversed((*chains, *more))
    }
    return tuple(
        server_chain
        for server_chain in (*chains, *more)
        if found[server_chain.chain.identity] is server_chain
    )


def gateway_listener(build: ListenerBuild, planned: GatewayListener) -> EnvoyResource:
    own = proxy_config(build)
    settings = effective_settings(own.connection_settings, build.traits)
    sockets = [
        downstream_socket(build, one.tls) if one.tls is not None else None for one in planned.chains
    ]
    listener = listener_pb2.Listener(
        name=planned.name,
        address=bind_address(planned.binds[0], planned.port),
        additional_addresses=additional(planned.binds[1:], planned.port),
        filter_chains=[
            _chain(build, one, planned.name, socket)
            for one, socket in zip(planned.chains, sockets, strict=True)
        ],
        traffic_direction=base_pb2.OUTBOUND,
        max_connections_to_accept_per_socket_event=wkt.uint32(1),
        access_log=listener_logs(build, Side.GATEWAY),
    )
    if own.gateway_topology is not None and own.gateway_topology.proxy_protocol is not None:
        listener.listener_filters.append(filters.proxy_protocol())
    if any(
        server_chain.chain.sni or server_chain.tls is not None for server_chain in planned.chains
    ):
        listener.listener_filters.append(filters.tls_inspector())
    limit = settings.listener_per_connection_buffer_limit_bytes if settings is not None else None
    if limit is not None and limit >= 0:
        listener.per_connection_buffer_limit_bytes.value = limit
    return encode(
        TypeUrl.LISTENER,
        planned.name,
        listener,
        origins(planned.fields),
        planned=planned,
        secrets=secrets_of(sockets),
    )


def _chain(
    build: ListenerBuild, server_chain: ServerChain, name: str, socket: Socket | None
) -> components.FilterChain:
    target: Target
    if isinstance(server_chain.chain.target, HttpTarget):
        prefix = server_chain.stat_prefix or stat_name(f"outbound_{name}")
        route, grpc_web = server_chain.chain.target.route, server_chain.chain.target.grpc_web
        target = HttpManager(Side.GATEWAY, prefix, route, grpc_web=grpc_web)
    else:
        target = server_chain.chain.target
    return components.FilterChain(
        filter_chain_match=server_chain.chain.match(),
        filters=network_filters(build, Side.GATEWAY, target),
        transport_socket=socket.message if socket is not None else None,
        transport_socket_connect_timeout=wkt.duration(HANDSHAKE_TIMEOUT),
    )
