"""CORS, everywhere: it does nothing until a route's `typed_per_filter_config` says so."""

from __future__ import annotations

from collections.abc import Iterator

from envoy.extensions.filters.http.cors.v3 import cors_pb2

from varka.envoy.build import ListenerBuild
from varka.envoy.listeners.httpfilters.spec import HttpFilter
from varka.envoy.listeners.manager import HttpManager
from varka.envoy.routes.cors import FILTER as NAME


def _configs(_: ListenerBuild, __: HttpManager) -> Iterator[cors_pb2.Cors]:
    yield cors_pb2.Cors()


FILTER = HttpFilter(NAME, _configs)
