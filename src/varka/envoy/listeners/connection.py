"""`ProxyConfig.connectionSettings`: limits and timeouts of downstream connections."""

from __future__ import annotations

import msgspec
from envoy.config.core.v3 import protocol_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as hcm_pb2,
)

from varka.base.duration import Duration
from varka.envoy import wkt
from varka.proxy.node import ProxyType
from varka.proxy.traits import Traits
from varka.resources.model.mesh import (
    ConnectionSettings,
    HeadersWithUnderscoresAction,
    PathWithEscapedSlashesAction,
    Profile,
)

_EDGE = ConnectionSettings(
    listener_per_connection_buffer_limit_bytes=32 * 1024,
    http_idle_timeout=Duration.seconds(3600),
    http_stream_idle_timeout=Duration.seconds(300),
    http_request_timeout=Duration.seconds(300),
    http_request_headers_timeout=Duration.seconds(60),
    http_max_concurrent_streams=100,
    http2_initial_stream_window_size=64 * 1024,
    http2_initial_connection_window_size=1024 * 1024,
    http_headers_with_underscores_action=HeadersWithUnderscoresAction.HEADERS_WITH_UNDERSCORES_REJECT_REQUEST,
    http_merge_slashes=True,
    http_path_with_escaped_slashes_action=PathWithEscapedSlashesAction.UNESCAPE_AND_REDIRECT,
)
"""What profile EDGE means for gateways: Envoy's best practices for proxies that face the world."""
_UNSET = (
    None,
    HeadersWithUnderscoresAction.HEADERS_WITH_UNDERSCORES_UNSPECIFIED,
    PathWithEscapedSlashesAction.PATH_WITH_ESCAPED_SLASHES_UNSPECIFIED,
)


def effective_settings(
    given: ConnectionSettings | None, traits: Traits
) -> ConnectionSettings | None:
    """With the defaults of profile EDGE, which only gateways take."""
    if given is None or given.profile is not Profile.EDGE or traits.type is not ProxyType.ROUTER:
        return given
    unset = {
        f: getattr(_EDGE, f)
        for f in given.__struct_fields__
        if f != "profile" and getattr(given, f) in _UNSET
    }
    return msgspec.structs.replace(given, **unset)


def apply_connection_settings(
    message: hcm_pb2.HttpConnectionManager, given: ConnectionSettings | None, traits: Traits
) -> None:
    """Set on an HttpConnectionManager what is given; it overrides what the mesh says of path
    normalization."""
    settings = effective_settings(given, traits)
    if settings is None:
        return
    common = message.common_http_protocol_options
    for target, name, value in (
        (common, "idle_timeout", settings.http_idle_timeout),
        (common, "max_connection_duration", settings.http_max_connection_duration),
        (common, "max_stream_duration", settings.http_max_stream_duration),
        (message, "stream_idle_timeout", settings.http_stream_idle_timeout),
        (message, "request_timeout", settings.http_request_timeout),
        (message, "request_headers_timeout", settings.http_request_headers_timeout),
        (message, "drain_timeout", settings.http_drain_timeout),
    ):
        if value is not None:
            getattr(target, name).CopyFrom(wkt.duration(value))
    http2 = message.http2_protocol_options
    for name, number in (
        ("max_concurrent_streams", settings.http_max_concurrent_streams),
        ("initial_stream_window_size", settings.http2_initial_stream_window_size),
        ("initial_connection_window_size", settings.http2_initial_connection_window_size),
    ):
        if number is not None and number >= 0:
            getattr(http2, name).value = number
    _names_and_paths(message, settings)


def _names_and_paths(message: hcm_pb2.HttpConnectionManager, settings: ConnectionSettings) -> None:
    underscores = settings.http_headers_with_underscores_action.value.removeprefix(
        "HEADERS_WITH_UNDERSCORES_"
    )
    if underscores != "UNSPECIFIED":
        actions = protocol_pb2.HttpProtocolOptions.HeadersWithUnderscoresAction
        message.common_http_protocol_options.headers_with_underscores_action = actions.Value(
            underscores
        )
    if settings.http_merge_slashes is not None:
        message.merge_slashes = settings.http_merge_slashes
    slashes = settings.http_path_with_escaped_slashes_action
    if slashes is not PathWithEscapedSlashesAction.PATH_WITH_ESCAPED_SLASHES_UNSPECIFIED:
        on_slashes = hcm_pb2.HttpConnectionManager.PathWithEscapedSlashesAction
        message.path_with_escaped_slashes_action = on_slashes.Value(slashes.value)
