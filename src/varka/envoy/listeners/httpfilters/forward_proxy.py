"""Resolves the host of a request, for clusters that share the DNS cache: those of wildcard
ServiceEntries, and the one for unknown hosts."""

from __future__ import annotations

from collections.abc import Iterator

from envoy.extensions.filters.http.dynamic_forward_proxy.v3 import dynamic_forward_proxy_pb2

from varka.envoy.build import ListenerBuild
from varka.envoy.dnscache import any_host_cache, host_cache
from varka.envoy.listeners.httpfilters.spec import HttpFilter
from varka.envoy.listeners.manager import HttpManager


def _configs(
    build: ListenerBuild, manager: HttpManager
) -> Iterator[dynamic_forward_proxy_pb2.FilterConfig]:
    caches = [host_cache(host, build.traits) for host in manager.dynamic]
    if manager.any_host:
        caches.append(any_host_cache(build.traits))
    for cache in caches:
        yield dynamic_forward_proxy_pb2.FilterConfig(dns_cache_config=cache)


FILTER = HttpFilter("envoy.filters.http.dynamic_forward_proxy", _configs)
