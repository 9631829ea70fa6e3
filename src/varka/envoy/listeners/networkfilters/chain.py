"""The order of network filters, which is Istio's."""

from __future__ import annotations

from envoy.config.listener.v3 import listener_components_pb2 as components

from varka.envoy import wkt
from varka.envoy.build import ListenerBuild
from varka.envoy.listeners.networkfilters import http_manager, mongo, sni_forward, tcp_proxy
from varka.envoy.listeners.networkfilters.spec import NetworkFilter, Target
from varka.envoy.listeners.parts import Side

ORDER: tuple[NetworkFilter, ...] = (
    sni_forward.FILTER,
    mongo.FILTER,
    http_manager.FILTER,
    tcp_proxy.FILTER,
)
"""A connection meets them from first to last; the last one of a chain takes it."""


def network_filters(build: ListenerBuild, side: Side, target: Target) -> list[components.Filter]:
    return [
        components.Filter(name=spec.name, typed_config=wkt.pack(config))
        for spec in ORDER
        for config in spec.configs(build, side, target)
    ]
