"""Dynamic forward proxy: filters that resolve the host a client asks for."""

from __future__ import annotations

from typing import Any

from envoy.config.cluster.v3 import cluster_pb2
from envoy.extensions.common.dynamic_forward_proxy.v3 import dns_cache_pb2
from envoy.extensions.filters.http.dynamic_forward_proxy.v3 import dynamic_forward_proxy_pb2

from varka.base.names import Hostname
from varka.envoy import wkt
from varka.envoy.listeners.filters import http_filter
from varka.envoy.names import dns_cache
from varka.proxy.traits import Traits


def dns_cache_config(host: Hostname, traits: Traits) -> Any:
    """The cache of a wildcard host (`resolution: DYNAMIC_DNS`). Envoy wants it field by field equal to its cluster's."""
    family = cluster_pb2.Cluster.V4_ONLY if traits.ipv4 else cluster_pb2.Cluster.V6_ONLY
    return dns_cache_pb2.DnsCacheConfig(name=dns_cache(host), dns_lookup_family=family)


def any_host_cache_config(traits: Traits) -> Any:
    """The cache of `outboundTrafficPolicy.mode: ALLOW_ANY_DYNAMIC_DNS`."""
    family = cluster_pb2.Cluster.V4_ONLY if traits.ipv4 else cluster_pb2.Cluster.V6_ONLY
    return dns_cache_pb2.DnsCacheConfig(name="allow_any_dfp_dns_cache", dns_lookup_family=family, max_hosts=wkt.uint32(1024))


def forward_proxy(cache: Any) -> Any:
    config = dynamic_forward_proxy_pb2.FilterConfig(dns_cache_config=cache)
    return http_filter("envoy.filters.http.dynamic_forward_proxy", config)
