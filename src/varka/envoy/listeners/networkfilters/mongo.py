"""Statistics of MongoDB's protocol, on ports that say so (`MONGO`)."""

from __future__ import annotations

from collections.abc import Iterator

from envoy.extensions.filters.network.mongo_proxy.v3 import mongo_proxy_pb2

from varka.envoy.build import ListenerBuild
from varka.envoy.listeners.chains import TcpTarget
from varka.envoy.listeners.networkfilters.spec import NetworkFilter, Target
from varka.envoy.listeners.parts import Side


def _configs(_: ListenerBuild, __: Side, target: Target) -> Iterator[mongo_proxy_pb2.MongoProxy]:
    if isinstance(target, TcpTarget) and target.mongo:
        yield mongo_proxy_pb2.MongoProxy(stat_prefix=target.stat_prefix)


FILTER = NetworkFilter("envoy.filters.network.mongo_proxy", _configs)
