"""Clusters that every proxy of a kind has: for traffic that no service explains."""

from __future__ import annotations

from envoy.config.cluster.v3 import cluster_pb2

from varka.envoy.build import Build
from varka.envoy.clusters.builder import ClusterBuilder, connect_timeout
from varka.envoy.clusters.dynamic import any_host_cluster, follow_client
from varka.envoy.clusters.pool import apply_pool
from varka.envoy.istio_names import BLACK_HOLE, INBOUND_PASSTHROUGH, PASSTHROUGH
from varka.envoy.resource import EnvoyResource, Layer
from varka.proxy.node import ProxyType
from varka.proxy.traits import Traits
from varka.resources.model.mesh import MeshConfig, OutboundTrafficPolicyMode

SOURCES = ("127.0.0.6", "::6")
"""Inbound connections come from these addresses, which the capture rules leave alone: else they
would loop."""


def static_layer(build: Build) -> Layer:
    """Gateways have no original destination to pass traffic on to, so they get a black hole
    only."""
    if build.traits.type is ProxyType.ROUTER:
        return Layer.of([_black_hole(build.config)])
    clusters = [
        _black_hole(build.config),
        _passthrough(build),
        _inbound_passthrough(build),
    ]
    policy = build.config.outbound_traffic_policy
    if policy is not None and policy.mode is OutboundTrafficPolicyMode.ALLOW_ANY_DYNAMIC_DNS:
        clusters.append(any_host_cluster(build))
    return Layer.of(clusters)


def _black_hole(config: MeshConfig) -> EnvoyResource:
    builder = ClusterBuilder.named(BLACK_HOLE)
    builder.message.type = cluster_pb2.Cluster.STATIC
    builder.message.connect_timeout.CopyFrom(connect_timeout(config))
    return builder.finish()


def _passthrough(build: Build) -> EnvoyResource:
    return _original_dst(build, PASSTHROUGH).finish()


def _inbound_passthrough(build: Build) -> EnvoyResource:
    builder = _original_dst(build, INBOUND_PASSTHROUGH)
    bind_source(builder, build.traits)
    return builder.finish()


def _original_dst(build: Build, name: str) -> ClusterBuilder:
    builder = ClusterBuilder.named(name, PASSTHROUGH)
    builder.message.type = cluster_pb2.Cluster.ORIGINAL_DST
    builder.message.lb_policy = cluster_pb2.Cluster.CLUSTER_PROVIDED
    follow_client(build, builder)
    default = build.config.default_traffic_policy
    apply_pool(builder, default.connection_pool if default else None, None, build.config)
    return builder


def bind_source(builder: ClusterBuilder, traits: Traits) -> None:
    """Connect from an address that capture leaves alone; of the family Envoy finds the destination
    to have."""
    first, *rest = [
        source for source, used in zip(SOURCES, (traits.ipv4, traits.ipv6), strict=True) if used
    ] or SOURCES[:1]
    bind = builder.message.upstream_bind_config
    bind.source_address.address = first
    bind.source_address.port_value = 0
    for extra in rest:
        source = bind.extra_source_addresses.add().address
        source.address = extra
        source.port_value = 0
