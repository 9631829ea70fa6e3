"""The order of HTTP filters, which is Istio's."""

from __future__ import annotations

from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as hcm_pb2,
)

from varka.envoy import wkt
from varka.envoy.build import ListenerBuild
from varka.envoy.listeners.httpfilters import (
    cors,
    fault,
    forward_proxy,
    grpc_stats,
    grpc_web,
    router,
)
from varka.envoy.listeners.httpfilters.spec import HttpFilter
from varka.envoy.listeners.manager import HttpManager

ORDER: tuple[HttpFilter, ...] = (
    grpc_web.FILTER,
    grpc_stats.FILTER,
    fault.FILTER,
    cors.FILTER,
    forward_proxy.FILTER,
    router.FILTER,
)
"""A request meets them from first to last; the router must be the last."""


def http_filters(build: ListenerBuild, manager: HttpManager) -> list[hcm_pb2.HttpFilter]:
    return [
        hcm_pb2.HttpFilter(name=spec.name, typed_config=wkt.pack(config))
        for spec in ORDER
        for config in spec.configs(build, manager)
    ]
