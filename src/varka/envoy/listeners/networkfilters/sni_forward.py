"""Resolves the SNI of TLS connections to wildcard hosts, for clusters that share the DNS cache."""

from __future__ import annotations

from collections.abc import Iterator

from envoy.extensions.filters.network.sni_dynamic_forward_proxy.v3 import (
    sni_dynamic_forward_proxy_pb2 as sni_pb2,
)

from varka.envoy.build import ListenerBuild
from varka.envoy.dnscache import host_cache
from varka.envoy.listeners.chains import TcpTarget
from varka.envoy.listeners.networkfilters.spec import NetworkFilter, Target
from varka.envoy.listeners.parts import Side


def _configs(build: ListenerBuild, _: Side, target: Target) -> Iterator[sni_pb2.FilterConfig]:
    if isinstance(target, TcpTarget) and target.sni_forward is not None:
        host, port = target.sni_forward
        yield sni_pb2.FilterConfig(dns_cache_config=host_cache(host, build.traits), port_value=port)


FILTER = NetworkFilter("envoy.filters.network.sni_dynamic_forward_proxy", _configs)
