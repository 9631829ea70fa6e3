"""The HTTP connection manager, where a chain speaks HTTP."""

from __future__ import annotations

from collections.abc import Iterator

from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as hcm_pb2,
)

from varka.envoy.build import ListenerBuild
from varka.envoy.listeners.hcm import connection_manager
from varka.envoy.listeners.manager import HttpManager
from varka.envoy.listeners.networkfilters.spec import NetworkFilter, Target
from varka.envoy.listeners.parts import Side


def _configs(
    build: ListenerBuild, _: Side, target: Target
) -> Iterator[hcm_pb2.HttpConnectionManager]:
    if isinstance(target, HttpManager):
        yield connection_manager(build, target)


FILTER = NetworkFilter("envoy.filters.network.http_connection_manager", _configs)
