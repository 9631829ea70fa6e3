"""Listeners that traffic is redirected to, and the explicit HTTP proxy."""

from __future__ import annotations

from envoy.config.core.v3 import base_pb2
from envoy.config.listener.v3 import listener_components_pb2 as components
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_components_pb2, route_pb2

from varka.envoy import wkt
from varka.envoy.build import Build, ListenerBuild
from varka.envoy.istio_names import BLACK_HOLE, DYNAMIC_DNS, stat_name
from varka.envoy.listeners import filters
from varka.envoy.listeners.accesslog import listener_logs
from varka.envoy.listeners.addresses import additional, listener_name, loopbacks, socket, wildcards
from varka.envoy.listeners.build import Policy, fallthrough
from varka.envoy.listeners.chains import (
    HANDSHAKE_TIMEOUT,
    PLAINTEXT_HTTP,
    TcpTarget,
    WeightedCluster,
)
from varka.envoy.listeners.manager import HttpManager
from varka.envoy.listeners.networkfilters.chain import network_filters
from varka.envoy.listeners.parts import Side
from varka.envoy.proxymetadata import proxy_headers
from varka.envoy.resource import EnvoyResource, TypeUrl, encode
from varka.proxy.node import Interception

VIRTUAL_OUTBOUND = "virtualOutbound"
HTTP_PROXY_ROUTE = "http_proxy"
_ANY_HOST = "allow_any_dynamic_dns"


def virtual_outbound(build: ListenerBuild, policy: Policy) -> EnvoyResource:
    """Where outbound connections are redirected: hands them to the listener of their original
    destination, and decides about those that have none."""
    addresses, port = wildcards(build.traits), build.config.proxy_listen_port
    listener = listener_pb2.Listener(
        name=VIRTUAL_OUTBOUND,
        address=socket(addresses[0], port),
        additional_addresses=additional(addresses[1:], port),
        use_original_dst=wkt.boolean(True),
        filter_chains=[black_hole_chain(build, f"{VIRTUAL_OUTBOUND}-blackhole", port)],
        traffic_direction=base_pb2.OUTBOUND,
        max_connections_to_accept_per_socket_event=wkt.uint32(1),
        access_log=listener_logs(build, Side.OUTBOUND),
    )
    if build.traits.interception is Interception.TPROXY:
        listener.transparent.value = True
    if policy.any_host:
        listener.listener_filters.append(filters.http_inspector())
        listener.filter_chains.append(_any_host_chain(build, policy))
    listener.filter_chains.append(
        components.FilterChain(
            name=f"{VIRTUAL_OUTBOUND}-catchall-tcp",
            filters=fallthrough(build, policy),
        )
    )
    return encode(TypeUrl.LISTENER, VIRTUAL_OUTBOUND, listener)


def black_hole_chain(build: ListenerBuild, name: str, port: int) -> components.FilterChain:
    """Connections to the redirect's own port would go round for ever."""
    target = TcpTarget((WeightedCluster(BLACK_HOLE),), BLACK_HOLE, logged=False)
    return components.FilterChain(
        name=name,
        filter_chain_match=components.FilterChainMatch(destination_port=wkt.uint32(port)),
        filters=network_filters(build, Side.OUTBOUND, target),
    )


def _any_host_chain(build: ListenerBuild, policy: Policy) -> components.FilterChain:
    manager = HttpManager(
        Side.OUTBOUND,
        stat_name(f"outbound_{VIRTUAL_OUTBOUND}_{_ANY_HOST}"),
        _any_host_routes(build),
        any_host=policy.any_host,
    )
    return components.FilterChain(
        name=f"{VIRTUAL_OUTBOUND}-catchall-tcp-http",
        filter_chain_match=components.FilterChainMatch(application_protocols=PLAINTEXT_HTTP),
        filters=network_filters(build, Side.OUTBOUND, manager),
    )


def _any_host_routes(build: Build) -> route_pb2.RouteConfiguration:
    headers = proxy_headers(build)
    counted = not (headers.attempt_count and headers.attempt_count.disabled)
    action = route_components_pb2.RouteAction(
        cluster=DYNAMIC_DNS,
        timeout=wkt.duration(0),
        append_x_forwarded_host=bool(headers.x_forwarded_host and headers.x_forwarded_host.enabled),
    )
    route = route_components_pb2.Route(
        name=_ANY_HOST, match=route_components_pb2.RouteMatch(prefix="/"), route=action
    )
    host = route_components_pb2.VirtualHost(
        name=_ANY_HOST, domains=["*"], routes=[route], include_request_attempt_count=counted
    )
    return route_pb2.RouteConfiguration(
        name=_ANY_HOST,
        virtual_hosts=[host],
        validate_clusters=wkt.boolean(False),
        ignore_port_in_host_matching=True,
        max_direct_response_body_size_bytes=wkt.uint32(1024 * 1024),
    )


def http_proxy(build: ListenerBuild, port: int, policy: Policy) -> EnvoyResource:
    """`meshConfig.proxyHttpPort`: applications that use the sidecar as an explicit HTTP proxy."""
    addresses = loopbacks(build.traits)
    name = listener_name(addresses[0], port)
    manager = HttpManager(
        Side.OUTBOUND,
        stat_name(f"outbound_{name}"),
        HTTP_PROXY_ROUTE,
        any_host=policy.any_host,
        absolute_urls=True,
    )
    chain = components.FilterChain(
        filters=network_filters(build, Side.OUTBOUND, manager),
        transport_socket_connect_timeout=wkt.duration(HANDSHAKE_TIMEOUT),
    )
    listener = listener_pb2.Listener(
        name=name,
        address=socket(addresses[0], port),
        additional_addresses=additional(addresses[1:], port),
        filter_chains=[chain],
        traffic_direction=base_pb2.OUTBOUND,
        continue_on_listener_filters_timeout=True,
        listener_filters_timeout=wkt.duration(0),
        max_connections_to_accept_per_socket_event=wkt.uint32(1),
    )
    return encode(TypeUrl.LISTENER, name, listener)
