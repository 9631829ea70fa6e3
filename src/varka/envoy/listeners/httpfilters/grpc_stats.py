"""Counts of gRPC messages, everywhere: other filters and access logs read its filter state."""

from __future__ import annotations

from collections.abc import Iterator

from envoy.extensions.filters.http.grpc_stats.v3 import config_pb2

from varka.envoy import wkt
from varka.envoy.build import ListenerBuild
from varka.envoy.listeners.httpfilters.spec import HttpFilter
from varka.envoy.listeners.manager import HttpManager


def _configs(_: ListenerBuild, __: HttpManager) -> Iterator[config_pb2.FilterConfig]:
    yield config_pb2.FilterConfig(emit_filter_state=True, stats_for_all_methods=wkt.boolean(False))


FILTER = HttpFilter("envoy.filters.http.grpc_stats", _configs)
