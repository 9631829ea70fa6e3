"""Listeners of gateways: one for each port and address that servers of the merged Gateways name."""

from __future__ import annotations

from collections.abc import Iterable

from envoy.config.core.v3 import base_pb2
from envoy.config.listener.v3 import listener_components_pb2 as components
from envoy.config.listener.v3 import listener_pb2
from msgspec import Struct
from msgspec.structs import replace

from varka.envoy import wkt
from varka.envoy.build import ListenerBuild
from varka.envoy.istio_names import stat_name
from varka.envoy.listeners import filters
from varka.envoy.listeners.accesslog import listener_logs
from varka.envoy.listeners.addresses import additional, listener_name, socket, wildcards
from varka.envoy.listeners.chains import HANDSHAKE_TIMEOUT, HttpTarget
from varka.envoy.listeners.connection import effective_settings
from varka.envoy.listeners.gateway_chains import GatewayInputs, ServerChain, port_chains
from varka.envoy.listeners.manager import HttpManager
from varka.envoy.listeners.networkfilters.chain import network_filters
from varka.envoy.listeners.networkfilters.spec import Target
from varka.envoy.listeners.parts import ListenerParts, Side
from varka.envoy.listeners.tls import downstream_socket
from varka.envoy.proxymetadata import proxy_config
from varka.envoy.resource import EnvoyResource, Layer, TypeUrl, encode
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


def gateway_layers(
    build: ListenerBuild,
    gateway: MergedGateway,
    scope: Scope,
) -> ListenerParts:
    """One layer. A port without any chain (TCP without a route) has no listener: Envoy would refuse
    it."""
    layer_4 = tuple(rule for rule in gateway.virtual_services if rule.spec.tcp or rule.spec.tls)
    world = GatewayInputs(
        scope,
        build.memo.nested(bound_by_gateway, layer_4),
        build.traits,
        build.config.outbound_cluster_stat_name,
    )
    planned = [found for found in _planned(gateway.ports, world) if found.chains]
    resources = tuple(build.once(gateway_listener, found) for found in planned)
    targets = [served.chain.target for found in planned for served in found.chains]
    routes = frozenset(target.route for target in targets if isinstance(target, HttpTarget))
    return ListenerParts((build.memo(Layer.of, resources),), routes)


def _planned(ports: Iterable[GatewayPort], world: GatewayInputs) -> Iterable[GatewayListener]:
    found: dict[str, GatewayListener] = {}
    for port in ports:
        if world.traits.unprivileged and port.number < 1024:
            continue
        binds = (port.bind,) if port.bind else wildcards(world.traits)
        new = GatewayListener(binds, port.number, tuple(port_chains(port, world)))
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
    found = {served.chain.identity: served for served in reversed((*chains, *more))}
    return tuple(served for served in (*chains, *more) if found[served.chain.identity] is served)


def gateway_listener(build: ListenerBuild, planned: GatewayListener) -> EnvoyResource:
    own = proxy_config(build)
    settings = effective_settings(own.connection_settings, build.traits)
    listener = listener_pb2.Listener(
        name=planned.name,
        address=socket(planned.binds[0], planned.port),
        additional_addresses=additional(planned.binds[1:], planned.port),
        filter_chains=[_chain(build, served, planned.name) for served in planned.chains],
        traffic_direction=base_pb2.OUTBOUND,
        max_connections_to_accept_per_socket_event=wkt.uint32(1),
        access_log=listener_logs(build, Side.GATEWAY),
    )
    if own.gateway_topology is not None and own.gateway_topology.proxy_protocol is not None:
        listener.listener_filters.append(filters.proxy_protocol())
    if any(served.chain.sni or served.tls is not None for served in planned.chains):
        listener.listener_filters.append(filters.tls_inspector())
    limit = settings.listener_per_connection_buffer_limit_bytes if settings is not None else None
    if limit is not None and limit >= 0:
        listener.per_connection_buffer_limit_bytes.value = limit
    origins = dict.fromkeys(key for served in planned.chains for key in served.chain.origins)
    return encode(TypeUrl.LISTENER, planned.name, listener, origins)


def _chain(build: ListenerBuild, served: ServerChain, name: str) -> components.FilterChain:
    target: Target
    if isinstance(served.chain.target, HttpTarget):
        prefix = served.stat_prefix or stat_name(f"outbound_{name}")
        route, grpc_web = served.chain.target.route, served.chain.target.grpc_web
        target = HttpManager(Side.GATEWAY, prefix, route, grpc_web=grpc_web)
    else:
        target = served.chain.target
    return components.FilterChain(
        filter_chain_match=served.chain.match(),
        filters=network_filters(build, Side.GATEWAY, target),
        transport_socket=downstream_socket(build, served.tls) if served.tls is not None else None,
        transport_socket_connect_timeout=wkt.duration(HANDSHAKE_TIMEOUT),
    )
