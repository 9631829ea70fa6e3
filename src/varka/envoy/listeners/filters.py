"""Listener filters."""

from __future__ import annotations

from envoy.config.listener.v3 import listener_components_pb2 as components
from envoy.extensions.filters.listener.http_inspector.v3 import http_inspector_pb2
from envoy.extensions.filters.listener.original_dst.v3 import original_dst_pb2
from envoy.extensions.filters.listener.original_src.v3 import original_src_pb2
from envoy.extensions.filters.listener.proxy_protocol.v3 import proxy_protocol_pb2
from envoy.extensions.filters.listener.tls_inspector.v3 import tls_inspector_pb2
from google.protobuf.message import Message

from varka.envoy import wkt

_TPROXY_MARK = 1337
Disabled = components.ListenerFilterChainMatchPredicate | None
"""For which connections a filter is left out."""


def listener_filter(
    name: str, message: Message, disabled: Disabled = None
) -> components.ListenerFilter:
    return components.ListenerFilter(
        name=name, typed_config=wkt.pack(message), filter_disabled=disabled
    )


def tls_inspector(disabled: Disabled = None) -> components.ListenerFilter:
    """The first read is small: most client hellos fit."""
    config = tls_inspector_pb2.TlsInspector(initial_read_buffer_size=wkt.uint32(512))
    return listener_filter("envoy.filters.listener.tls_inspector", config, disabled)


def http_inspector(disabled: Disabled = None) -> components.ListenerFilter:
    return listener_filter(
        "envoy.filters.listener.http_inspector", http_inspector_pb2.HttpInspector(), disabled
    )


def original_dst() -> components.ListenerFilter:
    return listener_filter("envoy.filters.listener.original_dst", original_dst_pb2.OriginalDst())


def original_src() -> components.ListenerFilter:
    """TPROXY: connections to the workload keep the client's address and carry the mark that routes
    them back."""
    return listener_filter(
        "envoy.filters.listener.original_src", original_src_pb2.OriginalSrc(mark=_TPROXY_MARK)
    )


def proxy_protocol() -> components.ListenerFilter:
    return listener_filter(
        "envoy.filters.listener.proxy_protocol", proxy_protocol_pb2.ProxyProtocol()
    )
