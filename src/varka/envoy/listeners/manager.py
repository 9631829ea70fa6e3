"""What an HTTP connection manager is to do, as a value."""

from __future__ import annotations

from envoy.config.route.v3 import route_pb2
from msgspec import Struct

from varka.base.names import Hostname
from varka.envoy.listeners.parts import Side


class HttpManager(Struct, frozen=True):
    """What differs between HTTP connection managers of one proxy."""

    side: Side
    stat_prefix: str
    routes: str | route_pb2.RouteConfiguration
    """The name of a route configuration (RDS), or one that goes with the listener."""
    grpc_web: bool = False
    http2: bool = False
    dynamic: tuple[Hostname, ...] = ()
    """Wildcard hosts that a dynamic forward proxy resolves."""
    any_host: bool = False
    """Unknown hosts are resolved (ALLOW_ANY_DYNAMIC_DNS)."""
    absolute_urls: bool = False
    """An explicit proxy: requests name their whole URL."""
