"""gRPC from browsers, on ports that say so (`GRPC-WEB`)."""

from __future__ import annotations

from collections.abc import Iterator

from envoy.extensions.filters.http.grpc_web.v3 import grpc_web_pb2

from varka.envoy.build import ListenerBuild
from varka.envoy.listeners.httpfilters.spec import HttpFilter
from varka.envoy.listeners.manager import HttpManager


def _configs(_: ListenerBuild, manager: HttpManager) -> Iterator[grpc_web_pb2.GrpcWeb]:
    if manager.grpc_web:
        yield grpc_web_pb2.GrpcWeb()


FILTER = HttpFilter("envoy.filters.http.grpc_web", _configs)
