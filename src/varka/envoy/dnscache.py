"""DNS caches of dynamic forward proxies. A cluster and the filters before it share one by name, and
Envoy insists that all of them describe it field by field alike: so there is one place that does."""

from __future__ import annotations

from envoy.config.cluster.v3 import cluster_pb2
from envoy.extensions.common.dynamic_forward_proxy.v3 import dns_cache_pb2
from envoy.extensions.network.dns_resolver.cares.v3 import cares_dns_resolver_pb2

from varka.base.names import Hostname
from varka.envoy import wkt
from varka.envoy.addresses import address
from varka.envoy.istio_names import dns_cache
from varka.proxy.traits import Traits

_MAX_HOSTS = 1024
_DNS_PROXY = ("127.0.0.1", 15053)


def host_cache(host: Hostname, traits: Traits) -> dns_cache_pb2.DnsCacheConfig:
    """The cache of a wildcard host (ServiceEntry with `resolution: DYNAMIC_DNS`)."""
    return dns_cache_pb2.DnsCacheConfig(
        name=dns_cache(host), dns_lookup_family=lookup_family(traits)
    )


def any_host_cache(traits: Traits) -> dns_cache_pb2.DnsCacheConfig:
    """The cache of `outboundTrafficPolicy.mode: ALLOW_ANY_DYNAMIC_DNS`. With DNS capture it asks
    the proxy's own DNS, which knows all hosts of the mesh."""
    config = dns_cache_pb2.DnsCacheConfig(
        name="allow_any_dfp_dns_cache",
        max_hosts=wkt.uint32(_MAX_HOSTS),
        dns_lookup_family=lookup_family(traits),
    )
    if traits.dns_capture:
        resolver = cares_dns_resolver_pb2.CaresDnsResolverConfig(resolvers=[address(*_DNS_PROXY)])
        config.typed_dns_resolver_config.name = "envoy.network.dns_resolver.cares"
        config.typed_dns_resolver_config.typed_config.CopyFrom(wkt.pack(resolver))
    return config


def lookup_family(traits: Traits) -> cluster_pb2.Cluster.DnsLookupFamily.ValueType:
    """IPv4 unless the proxy has IPv6 only."""
    return (
        cluster_pb2.Cluster.V6_ONLY
        if traits.ipv6 and not traits.ipv4
        else cluster_pb2.Cluster.V4_ONLY
    )
