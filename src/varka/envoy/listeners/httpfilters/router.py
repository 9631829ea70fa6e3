"""Sends requests where their route says."""

from __future__ import annotations

from collections.abc import Iterator

from envoy.extensions.filters.http.router.v3 import router_pb2

from varka.envoy.build import ListenerBuild
from varka.envoy.listeners.httpfilters.spec import HttpFilter
from varka.envoy.listeners.manager import HttpManager
from varka.envoy.proxymetadata import proxy_headers


def _configs(build: ListenerBuild, _: HttpManager) -> Iterator[router_pb2.Router]:
    debug = proxy_headers(build).envoy_debug_headers
    yield router_pb2.Router(suppress_envoy_headers=bool(debug and debug.disabled))


FILTER = HttpFilter("envoy.filters.http.router", _configs)
