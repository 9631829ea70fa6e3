"""Clusters of AUTO_PASSTHROUGH gateways: mesh mTLS is passed on by its SNI, untouched."""

from __future__ import annotations

from collections.abc import Iterator

from varka.envoy.build import Build
from varka.envoy.clusters.service import describe, service_builder
from varka.envoy.endpoints import load_assignment
from varka.envoy.istio_names import sni_cluster
from varka.envoy.resource import EnvoyResource, Layer, Layers
from varka.envoy.trafficpolicy.discovery import Discovery
from varka.envoy.trafficpolicy.loadbalancer import ANYWHERE, Client
from varka.envoy.trafficpolicy.plan import Planned, plan
from varka.mesh.groups import Endpoints
from varka.mesh.model import MergedGateway, ScopedService, ServiceGroup
from varka.proxy.node import Locality
from varka.registry.service import Endpoint
from varka.resources.model import networking

_MODE = networking.ServerTLSSettingsTLSmode
_MUTUAL = "istio"


def sni_layers(
    build: Build,
    gateway: MergedGateway,
    groups: tuple[ServiceGroup, ...],
    locality: Locality,
    endpoints: Endpoints,
) -> tuple[Layers, Layers]:
    """Clusters and load assignments that the AUTO_PASSTHROUGH servers of a gateway send to; none
    without such servers."""
    servers = (server.server.tls for port in gateway.ports for server in port.servers)
    if not any(tls is not None and tls.mode is _MODE.AUTO_PASSTHROUGH for tls in servers):
        return (), ()
    return (
        tuple(sni_layer(build, group, locality, endpoints) for group in groups),
        tuple(sni_assignment_layer(build, group, locality, endpoints) for group in groups),
    )


def sni_layer(
    build: Build,
    group: ServiceGroup,
    locality: Locality,
    endpoints: Endpoints,
) -> Layer:
    """A cluster named by its SNI for each port and subset of the mesh's own services. The gateway
    adds no TLS."""
    found = []
    for planned in (p for entry in group.services for p in _planned(build, entry)):
        inline = (
            build.memo(_mutual, endpoints(planned.service, planned.port))
            if planned.kind.by_dns
            else ()
        )
        client = planned.client(locality) if planned.kind.by_dns else ANYWHERE
        found.append(build.memo(sni_cluster_resource, planned, client, inline))
    return build.memo(Layer.of, tuple(cluster for cluster in found if cluster is not None))


def sni_assignment_layer(
    build: Build,
    group: ServiceGroup,
    locality: Locality,
    endpoints: Endpoints,
) -> Layer:
    """Their endpoints: only those that speak mesh mTLS, since the gateway can't see who else would
    answer."""
    found = []
    for planned in (p for entry in group.services for p in _planned(build, entry)):
        if planned.kind is Discovery.EDS:
            there = build.memo(_mutual, endpoints(planned.service, planned.port))
            found.append(
                build.memo(load_assignment, _name(planned), *planned.assigned(locality), there)
            )
    return build.memo(Layer.of, tuple(found))


def sni_cluster_resource(
    planned: Planned, client: Client, endpoints: tuple[Endpoint, ...]
) -> EnvoyResource | None:
    builder = service_builder(_name(planned), planned, client, endpoints)
    if builder is None:
        return None
    describe(builder, planned)
    return builder.finish(planned.origins, planned)


def _name(planned: Planned) -> str:
    return sni_cluster(planned.port.number, planned.subset_name, planned.service.hostname)


def _planned(build: Build, entry: ScopedService) -> Iterator[Planned]:
    if not entry.service.mesh_external:
        yield from (p for p in build.once(plan, entry) if p.kind is not Discovery.DYNAMIC)


def _mutual(endpoints: tuple[Endpoint, ...]) -> tuple[Endpoint, ...]:
    return tuple(endpoint for endpoint in endpoints if endpoint.tls_mode == _MUTUAL)
