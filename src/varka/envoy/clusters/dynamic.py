"""Dynamic forward proxies: clusters that look up whatever host a request names."""

from __future__ import annotations

from envoy.config.cluster.v3 import cluster_pb2
from envoy.extensions.clusters.dynamic_forward_proxy.v3 import cluster_pb2 as forward_pb2
from envoy.extensions.common.dynamic_forward_proxy.v3 import dns_cache_pb2

from varka.base.duration import Duration
from varka.envoy import wkt
from varka.envoy.build import Build
from varka.envoy.clusters.builder import ClusterBuilder
from varka.envoy.clusters.outlier import apply_outlier
from varka.envoy.clusters.pool import apply_pool
from varka.envoy.clusters.protocol import (
    apply_http2_upgrade,
    apply_port_protocol,
    preserve_case,
    preserves_case,
)
from varka.envoy.clusters.security import apply_security, peer_of
from varka.envoy.clusters.service import describe
from varka.envoy.dnscache import any_host_cache, host_cache
from varka.envoy.istio_names import DYNAMIC_DNS, outbound_cluster
from varka.envoy.resource import EnvoyResource
from varka.envoy.tls import Peer
from varka.envoy.trafficpolicy.plan import Planned
from varka.envoy.trafficpolicy.policy import Policy

PASSTHROUGH_IDLE = Duration.seconds(300)


def dynamic_cluster(planned: Planned, names: tuple[str, ...]) -> EnvoyResource:
    """The cluster of a wildcard ServiceEntry with `resolution: DYNAMIC_DNS`. Subsets mean nothing
    here."""
    service, port, policy, config = (
        planned.service,
        planned.port,
        planned.policy,
        planned.build.config,
    )
    builder = ClusterBuilder.named(outbound_cluster(port.number, "", service.hostname))
    apply_port_protocol(planned.build, builder, port)
    apply_http2_upgrade(builder, port, policy.pool, config)
    apply_pool(builder, policy.pool, policy.retry_budget, config)
    apply_outlier(builder, policy.outlier)
    apply_security(planned.build, builder, policy, peer_of(planned, names), dynamic=True)
    _forward(builder, host_cache(service.hostname, planned.build.traits))
    if service.mesh_external:
        builder.metadata["external"] = True
    describe(builder, planned)
    return builder.finish(planned.origins, planned)


def any_host_cluster(build: Build) -> EnvoyResource:
    """Where unknown hosts go in mode ALLOW_ANY_DYNAMIC_DNS; TLS is originated when the mesh's
    policy says so."""
    builder = ClusterBuilder.named(DYNAMIC_DNS)
    follow_client(build, builder)
    apply_pool(builder, None, None, build.config)
    outbound = build.config.outbound_traffic_policy
    apply_security(
        build,
        builder,
        Policy(tls=outbound.tls if outbound else None),
        Peer(selected=True),
        dynamic=True,
    )
    _forward(builder, any_host_cache(build.traits))
    return builder.finish()


def follow_client(build: Build, builder: ClusterBuilder) -> None:
    """What clusters of unknown destinations speak: the client's protocol, closing after five idle
    minutes."""
    options = builder.options
    options.common_http_protocol_options.idle_timeout.CopyFrom(wkt.duration(PASSTHROUGH_IDLE))
    options.use_downstream_protocol_config.http_protocol_options.SetInParent()
    options.use_downstream_protocol_config.http2_protocol_options.SetInParent()
    if preserves_case(build):
        options.use_downstream_protocol_config.http_protocol_options.CopyFrom(preserve_case())


def _forward(builder: ClusterBuilder, cache: dns_cache_pb2.DnsCacheConfig) -> None:
    """Envoy refuses a forward proxy that doesn't check names on its own, unless told that this is
    meant."""
    follows = builder.options.upstream_http_protocol_options
    config = forward_pb2.ClusterConfig(
        dns_cache_config=cache,
        allow_insecure_cluster_options=not (follows.auto_sni and follows.auto_san_validation),
    )
    builder.message.lb_policy = cluster_pb2.Cluster.CLUSTER_PROVIDED
    builder.message.cluster_type.name = "envoy.clusters.dynamic_forward_proxy"
    builder.message.cluster_type.typed_config.CopyFrom(wkt.pack(config))
