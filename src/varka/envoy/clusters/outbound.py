"""Clusters of services: one for each port, and one for each port and subset of the rule."""

from __future__ import annotations

from collections.abc import Iterator

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import config_source_pb2
from envoy.extensions.network.dns_resolver.cares.v3 import cares_dns_resolver_pb2

from varka.base.memo import Memo
from varka.base.names import ObjectKey
from varka.envoy import wkt
from varka.envoy.clusters.balance import apply_balancing
from varka.envoy.clusters.discovery import Discovery, discovery
from varka.envoy.clusters.draft import Draft, service_metadata, stat_pattern
from varka.envoy.clusters.dynamic import dynamic_cluster
from varka.envoy.clusters.outlier import apply_outlier
from varka.envoy.clusters.policy import Policy, policy_of
from varka.envoy.clusters.pool import apply_pool
from varka.envoy.clusters.protocol import apply_http2_upgrade, apply_port_protocol
from varka.envoy.clusters.security import apply_security, identities, peer_of
from varka.envoy.dnscache import lookup_family
from varka.envoy.endpoints import Endpoints, localities, usable
from varka.envoy.loadbalancer import Balancing, balancing_of, client_of, sends_unhealthy
from varka.envoy.names import outbound_cluster
from varka.envoy.resource import EnvoyResource, Layer
from varka.mesh.model import MergedRule, ScopedService, ServiceGroup
from varka.proxy.traits import Traits
from varka.registry.model import Endpoint, Service, ServicePort
from varka.resources.model import networking
from varka.resources.model.mesh import MeshConfig

EDS_TIMEOUT = 5
"""Seconds. A cluster waits no longer for its endpoints, since all others wait behind it (Istio waits for ever);
long enough for endpoints that travel behind thousands of clusters on the same stream."""

_DNS_REFRESH = 60
_DNS_JITTER = 0.1
_DNS_QUERIES = 100
_ALPN_OVERRIDE = (networking.ClientTLSSettingsTLSmode.SIMPLE, networking.ClientTLSSettingsTLSmode.MUTUAL)


def outbound_layer(memo: Memo, group: ServiceGroup, traits: Traits, config: MeshConfig, endpoints: Endpoints) -> Layer:
    """The clusters of a group's services for proxies with `traits`. Clusters of EDS don't depend on endpoints."""
    return memo(Layer.of, tuple(c for entry in group.services for c in _clusters(memo, entry, traits, config, endpoints)))


def _clusters(
    memo: Memo, entry: ScopedService, traits: Traits, config: MeshConfig, endpoints: Endpoints
) -> Iterator[EnvoyResource]:
    service, rule = entry.service, entry.rule
    names = identities(service, rule, traits, config, endpoints)
    for port in entry.ports:
        for subset in (None, *(rule.subsets if rule else ())):
            kind = discovery(service, port, rule, subset, traits, config)
            if kind is None:
                continue
            if kind is Discovery.DYNAMIC:
                yield memo(dynamic_cluster, service, port, rule, names, traits, config)
                continue
            inline = endpoints(service, port) if kind.by_dns else ()
            cluster = memo(outbound_cluster_resource, kind, service, port, subset, rule, inline, names, traits, config)
            if cluster is not None:
                yield cluster


def outbound_cluster_resource(
    kind: Discovery,
    service: Service,
    port: ServicePort,
    subset: networking.Subset | None,
    rule: MergedRule | None,
    endpoints: tuple[Endpoint, ...],
    names: tuple[str, ...],
    traits: Traits,
    config: MeshConfig,
) -> EnvoyResource | None:
    """The cluster of a port and subset; None when nothing of it can be resolved through DNS."""
    name = outbound_cluster(port.number, subset.name if subset else "", service.hostname)
    policy = policy_of(rule, subset, port.number, config)
    draft = service_draft(name, kind, service, port, subset, policy, endpoints, traits, config)
    if draft is None:
        return None
    apply_security(draft, policy, peer_of(service, port, subset, rule, names), traits, config)
    _describe(draft, subset, rule, policy)
    return draft.finish(_origins(service, rule))


def service_draft(
    name: str,
    kind: Discovery,
    service: Service,
    port: ServicePort,
    subset: networking.Subset | None,
    policy: Policy,
    endpoints: tuple[Endpoint, ...],
    traits: Traits,
    config: MeshConfig,
) -> Draft | None:
    """A cluster with everything but its security."""
    draft = Draft.named(name, _stats(service, port, subset, config))
    balancing = balancing_of(service, policy, config)
    draft.message.type = cluster_pb2.Cluster.DiscoveryType.Value(kind.value)
    if kind.by_dns:
        there = usable(endpoints, service, subset)
        if not there:
            return None
        _resolve(draft, traits, config)
        # Envoy takes exactly one address for LOGICAL_DNS, so there is nothing to spread.
        single = kind is Discovery.LOGICAL_DNS
        over = Balancing() if single else balancing
        found = localities(there[:1] if single else there, over, client_of(over, traits), traits.cluster_id)
        draft.message.load_assignment.cluster_name = name
        draft.message.load_assignment.endpoints.extend(found)
    elif kind is Discovery.EDS:
        _subscribe(draft)
    apply_port_protocol(draft, port, traits, config)
    apply_http2_upgrade(draft, port, policy.pool, config)
    apply_pool(draft, policy.pool, policy.retry_budget, config)
    apply_outlier(draft, policy.outlier, never_panic=sends_unhealthy(service))
    apply_balancing(draft, service, policy.balancer, balancing)
    draft.metadata["services"] = (service_metadata(service),)
    if service.mesh_external and subset is None:
        draft.metadata["external"] = True
    return draft


def _stats(service: Service, port: ServicePort, subset: networking.Subset | None, config: MeshConfig) -> str:
    pattern = config.outbound_cluster_stat_name
    return stat_pattern(pattern, service, port, subset.name if subset else "") if pattern else ""


def _subscribe(draft: Draft) -> None:
    eds = draft.message.eds_cluster_config
    eds.service_name = draft.message.name
    eds.eds_config.ads.SetInParent()
    eds.eds_config.resource_api_version = config_source_pb2.V3
    eds.eds_config.initial_fetch_timeout.CopyFrom(wkt.seconds(EDS_TIMEOUT))


def _resolve(draft: Draft, traits: Traits, config: MeshConfig) -> None:
    """DNS settings. `type` and its fields, though Envoy prefers `cluster_type` by now: tools and EnvoyFilters read them."""
    cluster = draft.message
    cluster.dns_lookup_family = lookup_family(traits)
    rate = config.dns_refresh_rate
    cluster.dns_refresh_rate.CopyFrom(wkt.seconds(_DNS_REFRESH) if rate is None else wkt.duration(rate))
    cluster.dns_jitter.CopyFrom(wkt.seconds(_DNS_JITTER))
    cluster.respect_dns_ttl = True
    resolver = cares_dns_resolver_pb2.CaresDnsResolverConfig(udp_max_queries=wkt.uint32(_DNS_QUERIES))
    cluster.typed_dns_resolver_config.name = "envoy.network.dns_resolver.cares"
    cluster.typed_dns_resolver_config.typed_config.CopyFrom(wkt.pack(resolver))


def _describe(draft: Draft, subset: networking.Subset | None, rule: MergedRule | None, policy: Policy) -> None:
    if rule is None or not rule.sources:
        return
    draft.made_from(rule.sources[0])
    if subset is not None:
        draft.metadata["subset"] = subset.name
    if policy.tls is not None and policy.tls.mode in _ALPN_OVERRIDE:
        draft.metadata["alpn_override"] = "false"


def _origins(service: Service, rule: MergedRule | None) -> tuple[ObjectKey, ...]:
    return (*(rule.sources if rule else ()), service.source)
