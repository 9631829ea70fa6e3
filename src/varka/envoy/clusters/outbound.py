"""Clusters of services: one for each port, and one for each port and subset of the rule."""

from __future__ import annotations

from collections.abc import Iterator

from varka.envoy.build import Build
from varka.envoy.clusters.builder import ClusterBuilder
from varka.envoy.clusters.dynamic import dynamic_cluster
from varka.envoy.clusters.security import apply_security, identities, peer_of
from varka.envoy.clusters.service import describe, service_builder
from varka.envoy.istio_names import outbound_cluster
from varka.envoy.resource import EnvoyResource, Layer
from varka.envoy.trafficpolicy.discovery import Discovery
from varka.envoy.trafficpolicy.loadbalancer import ANYWHERE, Client
from varka.envoy.trafficpolicy.plan import Planned, plan
from varka.mesh.groups import Endpoints
from varka.mesh.model import ScopedService, ServiceGroup
from varka.proxy.node import Locality
from varka.registry.service import Endpoint
from varka.resources.model import networking

_ALPN_OVERRIDE = (
    networking.ClientTLSSettingsTLSmode.SIMPLE,
    networking.ClientTLSSettingsTLSmode.MUTUAL,
)


def outbound_layer(
    build: Build,
    group: ServiceGroup,
    locality: Locality,
    endpoints: Endpoints,
) -> Layer:
    """The clusters of a group's services for proxies with `traits` in a place. Clusters of EDS
    depend neither on endpoints nor on the place."""
    found = (c for entry in group.services for c in _clusters(build, entry, locality, endpoints))
    return build.memo(Layer.of, tuple(found))


def _clusters(
    build: Build,
    entry: ScopedService,
    locality: Locality,
    endpoints: Endpoints,
) -> Iterator[EnvoyResource]:
    names = identities(build, entry.service, entry.rule, endpoints)
    for planned in build.once(plan, entry):
        if planned.kind is Discovery.DYNAMIC:
            yield build.memo(dynamic_cluster, planned, names)
            continue
        inline = endpoints(planned.service, planned.port) if planned.kind.by_dns else ()
        client = planned.client(locality) if planned.kind.by_dns else ANYWHERE
        cluster = build.memo(outbound_cluster_resource, planned, client, inline, names)
        if cluster is not None:
            yield cluster


def outbound_cluster_resource(
    planned: Planned, client: Client, endpoints: tuple[Endpoint, ...], names: tuple[str, ...]
) -> EnvoyResource | None:
    """The cluster of a port and subset; None when there is nothing for DNS to resolve.

    `client` and `endpoints` of the port are for DNS only; `names` what the other side's certificate
    may say.
    """
    name = outbound_cluster(planned.port.number, planned.subset_name, planned.service.hostname)
    builder = service_builder(name, planned, client, endpoints)
    if builder is None:
        return None
    apply_security(planned.build, builder, planned.policy, peer_of(planned, names))
    describe(builder, planned)
    _override_alpn(builder, planned)
    return builder.finish(planned.origins, planned)


def _override_alpn(builder: ClusterBuilder, planned: Planned) -> None:
    """The mesh's ALPN is not for peers outside it."""
    tls = planned.policy.tls
    if planned.rule is not None and tls is not None and tls.mode in _ALPN_OVERRIDE:
        builder.metadata["alpn_override"] = "false"
