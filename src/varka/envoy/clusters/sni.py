"""Clusters of AUTO_PASSTHROUGH gateways: mesh mTLS is passed on by its SNI, untouched."""

from __future__ import annotations

from collections.abc import Iterator

from varka.base.memo import Memo
from varka.envoy.clusters.discovery import Discovery, discovery
from varka.envoy.clusters.outbound import service_draft
from varka.envoy.clusters.policy import policy_of
from varka.envoy.endpoints import Endpoints, load_assignment
from varka.envoy.loadbalancer import balancing_of, client_of
from varka.envoy.names import sni_cluster
from varka.envoy.resource import EnvoyResource, Layer
from varka.mesh.model import MergedRule, ScopedService, ServiceGroup
from varka.proxy.traits import Traits
from varka.registry.model import Endpoint, Service, ServicePort
from varka.resources.model import networking
from varka.resources.model.mesh import MeshConfig

_MUTUAL = "istio"


def sni_layer(memo: Memo, group: ServiceGroup, traits: Traits, config: MeshConfig, endpoints: Endpoints) -> Layer:
    """A cluster named by its SNI for each port and subset of the mesh's own services. The gateway adds no TLS."""
    return memo(Layer.of, tuple(r for entry in group.services for r in _clusters(memo, entry, traits, config, endpoints)))


def sni_assignment_layer(memo: Memo, group: ServiceGroup, traits: Traits, config: MeshConfig, endpoints: Endpoints) -> Layer:
    """Their endpoints: only those that speak mesh mTLS, since the gateway can't see who else would answer."""
    found = (r for entry in group.services for r in _assignments(memo, entry, traits, config, endpoints))
    return memo(Layer.of, tuple(found))


def sni_cluster_resource(
    kind: Discovery,
    service: Service,
    port: ServicePort,
    subset: networking.Subset | None,
    rule: MergedRule | None,
    endpoints: tuple[Endpoint, ...],
    traits: Traits,
    config: MeshConfig,
) -> EnvoyResource | None:
    name = sni_cluster(port.number, subset.name if subset else "", service.hostname)
    policy = policy_of(rule, subset, port.number, config)
    draft = service_draft(name, kind, service, port, subset, policy, endpoints, traits, config)
    if draft is None:
        return None
    if rule is not None and rule.sources:
        draft.made_from(rule.sources[0])
    return draft.finish((*(rule.sources if rule else ()), service.source))


def _ports(
    entry: ScopedService, traits: Traits, config: MeshConfig
) -> Iterator[tuple[ServicePort, networking.Subset | None, Discovery]]:
    if entry.service.mesh_external:
        return
    for port in entry.ports:
        for subset in (None, *(entry.rule.subsets if entry.rule else ())):
            kind = discovery(entry.service, port, entry.rule, subset, traits, config)
            if kind is not None and kind is not Discovery.DYNAMIC:
                yield port, subset, kind


def _clusters(
    memo: Memo, entry: ScopedService, traits: Traits, config: MeshConfig, endpoints: Endpoints
) -> Iterator[EnvoyResource]:
    for port, subset, kind in _ports(entry, traits, config):
        inline = _mutual(endpoints(entry.service, port)) if kind.by_dns else ()
        found = memo(sni_cluster_resource, kind, entry.service, port, subset, entry.rule, inline, traits, config)
        if found is not None:
            yield found


def _assignments(
    memo: Memo, entry: ScopedService, traits: Traits, config: MeshConfig, endpoints: Endpoints
) -> Iterator[EnvoyResource]:
    for port, subset, kind in _ports(entry, traits, config):
        if kind is not Discovery.EDS:
            continue
        name = sni_cluster(port.number, subset.name if subset else "", entry.service.hostname)
        balancing = balancing_of(entry.service, policy_of(entry.rule, subset, port.number, config), config)
        there = memo(_mutual, endpoints(entry.service, port))
        yield memo(
            load_assignment, name, entry.service, subset, there, balancing, client_of(balancing, traits), traits.cluster_id
        )


def _mutual(endpoints: tuple[Endpoint, ...]) -> tuple[Endpoint, ...]:
    return tuple(endpoint for endpoint in endpoints if endpoint.tls_mode == _MUTUAL)
