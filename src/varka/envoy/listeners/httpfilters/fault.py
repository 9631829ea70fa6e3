"""Fault injection, everywhere: it does nothing until a route's `typed_per_filter_config` says
so."""

from __future__ import annotations

from collections.abc import Iterator

from envoy.extensions.filters.http.fault.v3 import fault_pb2

from varka.envoy.build import ListenerBuild
from varka.envoy.listeners.httpfilters.spec import HttpFilter
from varka.envoy.listeners.manager import HttpManager
from varka.envoy.routes.fault import FILTER as NAME


def _configs(_: ListenerBuild, __: HttpManager) -> Iterator[fault_pb2.HTTPFault]:
    yield fault_pb2.HTTPFault()


FILTER = HttpFilter(NAME, _configs)
