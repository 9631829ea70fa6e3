"""Listener and HTTP filters with next to no configuration."""

from __future__ import annotations

from typing import Any

from envoy.config.listener.v3 import listener_components_pb2 as components
from envoy.extensions.filters.http.cors.v3 import cors_pb2
from envoy.extensions.filters.http.dynamic_forward_proxy.v3 import dynamic_forward_proxy_pb2
from envoy.extensions.filters.http.fault.v3 import fault_pb2
from envoy.extensions.filters.http.grpc_stats.v3 import config_pb2 as grpc_stats_pb2
from envoy.extensions.filters.http.grpc_web.v3 import grpc_web_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.listener.http_inspector.v3 import http_inspector_pb2
from envoy.extensions.filters.listener.original_dst.v3 import original_dst_pb2
from envoy.extensions.filters.listener.original_src.v3 import original_src_pb2
from envoy.extensions.filters.listener.proxy_protocol.v3 import proxy_protocol_pb2
from envoy.extensions.filters.listener.tls_inspector.v3 import tls_inspector_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as hcm_pb2,
)

from varka.envoy import wkt

HTTP_MANAGER = "envoy.filters.network.http_connection_manager"
TCP_PROXY = "envoy.filters.network.tcp_proxy"
_TPROXY_MARK = 1337


def network_filter(name: str, message: Any) -> Any:
    return components.Filter(name=name, typed_config=wkt.pack(message))


def listener_filter(name: str, message: Any, disabled: Any = None) -> Any:
    return components.ListenerFilter(
        name=name, typed_config=wkt.pack(message), filter_disabled=disabled
    )


def http_filter(name: str, message: Any) -> Any:
    return hcm_pb2.HttpFilter(name=name, typed_config=wkt.pack(message))


def tls_inspector(disabled: Any = None) -> Any:
    """The first read is small: most client hellos fit."""
    config = tls_inspector_pb2.TlsInspector(initial_read_buffer_size=wkt.uint32(512))
    return listener_filter("envoy.filters.listener.tls_inspector", config, disabled)


def http_inspector(disabled: Any = None) -> Any:
    return listener_filter(
        "envoy.filters.listener.http_inspector", http_inspector_pb2.HttpInspector(), disabled
    )


def original_dst() -> Any:
    return listener_filter("envoy.filters.listener.original_dst", original_dst_pb2.OriginalDst())


def original_src() -> Any:
    """TPROXY: connections to the workload keep the client's address and carry the mark that routes
    them back."""
    return listener_filter(
        "envoy.filters.listener.original_src", original_src_pb2.OriginalSrc(mark=_TPROXY_MARK)
    )


def proxy_protocol() -> Any:
    return listener_filter(
        "envoy.filters.listener.proxy_protocol", proxy_protocol_pb2.ProxyProtocol()
    )


def grpc_stats() -> Any:
    config = grpc_stats_pb2.FilterConfig(
        emit_filter_state=True, stats_for_all_methods=wkt.boolean(False)
    )
    return http_filter("envoy.filters.http.grpc_stats", config)


def grpc_web() -> Any:
    return http_filter("envoy.filters.http.grpc_web", grpc_web_pb2.GrpcWeb())


def fault() -> Any:
    """Does nothing until a route's `typed_per_filter_config` says so."""
    return http_filter("envoy.filters.http.fault", fault_pb2.HTTPFault())


def cors() -> Any:
    """Does nothing until a route's `typed_per_filter_config` says so."""
    return http_filter("envoy.filters.http.cors", cors_pb2.Cors())


def forward_proxy(cache: Any) -> Any:
    """Resolves the host of requests to clusters that share this DNS cache."""
    config = dynamic_forward_proxy_pb2.FilterConfig(dns_cache_config=cache)
    return http_filter("envoy.filters.http.dynamic_forward_proxy", config)


def router(*, suppress_debug_headers: bool) -> Any:
    return http_filter(
        "envoy.filters.http.router",
        router_pb2.Router(suppress_envoy_headers=suppress_debug_headers),
    )
