"""What clusters of a service have in common, however they are named and secured."""

from __future__ import annotations

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import config_source_pb2
from envoy.extensions.network.dns_resolver.cares.v3 import cares_dns_resolver_pb2

from varka.envoy import wkt
from varka.envoy.clusters.balance import apply_balancing
from varka.envoy.clusters.builder import ClusterBuilder, service_metadata, stat_pattern
from varka.envoy.clusters.outlier import apply_outlier
from varka.envoy.clusters.pool import apply_pool
from varka.envoy.clusters.protocol import apply_http2_upgrade, apply_port_protocol
from varka.envoy.dnscache import lookup_family
from varka.envoy.endpoints import localities, usable
from varka.envoy.trafficpolicy.discovery import Discovery
from varka.envoy.trafficpolicy.loadbalancer import ANYWHERE, Balancing, Client, sends_unhealthy
from varka.envoy.trafficpolicy.plan import Planned
from varka.registry.service import Endpoint, Registry, Resolution, ServicePort

EDS_TIMEOUT = 5
"""Seconds. A cluster waits no longer for its endpoints, since all others wait behind it (Istio
waits for ever); long enough for endpoints that travel behind thousands of clusters on the same
stream."""

_DNS_REFRESH = 60
_DNS_JITTER = 0.1
_DNS_QUERIES = 100


def service_builder(
    name: str, planned: Planned, client: Client, endpoints: tuple[Endpoint, ...]
) -> ClusterBuilder | None:
    """A cluster with everything but its security; None when there is nothing for DNS to resolve.
    `client` and `endpoints` matter for DNS only."""
    service, port, policy, config = (
        planned.service,
        planned.port,
        planned.policy,
        planned.build.config,
    )
    pattern = config.outbound_cluster_stat_name
    builder = ClusterBuilder.named(
        name, stat_pattern(pattern, service, port, planned.subset_name) if pattern else ""
    )
    builder.message.type = cluster_pb2.Cluster.DiscoveryType.Value(planned.kind.value)
    if planned.kind is Discovery.EDS:
        _subscribe(builder)
    elif planned.kind.by_dns:
        there = usable(endpoints, service, planned.subset)
        if not there:
            return None
        _resolve(builder, planned, client, there)
    elif service.resolution is Resolution.PASSTHROUGH and service.registry is Registry.EXTERNAL:
        _redirect(builder, port)
    apply_port_protocol(planned.build, builder, port)
    apply_http2_upgrade(builder, port, policy.pool, config)
    apply_pool(builder, policy.pool, policy.retry_budget, config)
    apply_outlier(builder, policy.outlier, never_panic=sends_unhealthy(service))
    apply_balancing(builder, service, policy.balancer, planned.balancing)
    builder.metadata["services"] = (service_metadata(service),)
    if service.mesh_external and planned.subset is None:
        builder.metadata["external"] = True
    return builder


def describe(builder: ClusterBuilder, planned: Planned) -> None:
    """Name the rule that the cluster was made from."""
    if planned.rule is None or not planned.rule.sources:
        return
    builder.made_from(planned.rule.sources[0])
    if planned.subset is not None:
        builder.metadata["subset"] = planned.subset.name


def _subscribe(builder: ClusterBuilder) -> None:
    eds = builder.message.eds_cluster_config
    eds.service_name = builder.message.name
    eds.eds_config.ads.SetInParent()
    eds.eds_config.resource_api_version = config_source_pb2.V3
    eds.eds_config.initial_fetch_timeout.CopyFrom(wkt.seconds(EDS_TIMEOUT))


def _redirect(builder: ClusterBuilder, port: ServicePort) -> None:
    """The original address, but the `targetPort` of the ServiceEntry where it has one."""
    if isinstance(port.target, int) and port.target not in (0, port.number):
        builder.message.original_dst_lb_config.upstream_port_override.value = port.target


def _resolve(
    builder: ClusterBuilder, planned: Planned, client: Client, endpoints: list[Endpoint]
) -> None:
    """DNS settings. `type` and its fields, though Envoy prefers `cluster_type` by now: tools and
    EnvoyFilters read them."""
    cluster, rate = builder.message, planned.build.config.dns_refresh_rate
    cluster.dns_lookup_family = lookup_family(planned.build.traits)
    cluster.dns_refresh_rate.CopyFrom(
        wkt.seconds(_DNS_REFRESH) if rate is None else wkt.duration(rate)
    )
    cluster.dns_jitter.CopyFrom(wkt.seconds(_DNS_JITTER))
    cluster.respect_dns_ttl = True
    resolver = cares_dns_resolver_pb2.CaresDnsResolverConfig(
        udp_max_queries=wkt.uint32(_DNS_QUERIES)
    )
    cluster.typed_dns_resolver_config.name = "envoy.network.dns_resolver.cares"
    cluster.typed_dns_resolver_config.typed_config.CopyFrom(wkt.pack(resolver))
    balancing = planned.balancing
    if planned.kind is Discovery.LOGICAL_DNS:
        # Envoy takes exactly one name for it, so there is nothing to spread.
        endpoints, balancing, client = endpoints[:1], Balancing(), ANYWHERE
    cluster.load_assignment.cluster_name = cluster.name
    cluster.load_assignment.endpoints.extend(
        localities(endpoints, balancing, client, planned.build.traits.cluster_id)
    )
