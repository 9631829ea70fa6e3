"""Load assignments: the endpoints of a cluster, by place and priority."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from envoy.config.core.v3 import health_check_pb2
from envoy.config.endpoint.v3 import endpoint_components_pb2, endpoint_pb2

from varka.base.ip import is_ip
from varka.envoy import wkt
from varka.envoy.addresses import address
from varka.envoy.build import Build
from varka.envoy.istio_names import ISTIO, outbound_cluster
from varka.envoy.resource import EnvoyResource, Layer, TypeUrl, encode
from varka.envoy.trafficpolicy.discovery import Discovery
from varka.envoy.trafficpolicy.loadbalancer import (
    Balancing,
    Client,
    Place,
    places,
    sends_unhealthy,
    spread,
)
from varka.envoy.trafficpolicy.plan import plan
from varka.mesh.groups import Endpoints
from varka.mesh.model import ServiceGroup
from varka.proxy.node import Locality
from varka.registry.service import Endpoint, Health, Service
from varka.resources.model import networking

_SESSION = "istio.io/persistent-session"
_CANONICAL_NAME = ("service.istio.io/canonical-name", "app.kubernetes.io/name", "app")
_CANONICAL_REVISION = (
    "service.istio.io/canonical-revision",
    "app.kubernetes.io/version",
    "version",
)
_HEALTH = {
    Health.HEALTHY: health_check_pb2.HEALTHY,
    Health.UNHEALTHY: health_check_pb2.UNHEALTHY,
    Health.DRAINING: health_check_pb2.DRAINING,
}


def assignment_layer(
    build: Build,
    group: ServiceGroup,
    locality: Locality,
    endpoints: Endpoints,
) -> Layer:
    """One assignment for each EDS cluster that `outbound_layer` makes of the group, also when it
    has no endpoints: Envoy waits for every assignment it asked for."""
    found = []
    for entry in group.services:
        for planned in build.once(plan, entry):
            if planned.kind is Discovery.EDS:
                service, port = planned.service, planned.port
                name = outbound_cluster(port.number, planned.subset_name, service.hostname)
                found.append(
                    build.memo(
                        load_assignment, name, *planned.assigned(locality), endpoints(service, port)
                    )
                )
    return build.memo(Layer.of, tuple(found))


def load_assignment(
    name: str,
    service: Service,
    subset: networking.Subset | None,
    balancing: Balancing,
    client: Client,
    cluster_id: str,
    endpoints: tuple[Endpoint, ...],
) -> EnvoyResource:
    """The assignment of an EDS cluster. Endpoints known by a DNS name only are left out: EDS takes
    addresses."""
    there = [e for e in usable(endpoints, service, subset) if e.port == 0 or is_ip(e.address)]
    message = endpoint_pb2.ClusterLoadAssignment(
        cluster_name=name, endpoints=localities(there, balancing, client, cluster_id)
    )
    return encode(TypeUrl.ENDPOINTS, name, message, (service.source,))


def usable(
    endpoints: Iterable[Endpoint], service: Service, subset: networking.Subset | None
) -> list[Endpoint]:
    """The endpoints of a subset that Envoy is told of."""
    return [e for e in endpoints if _in_subset(e, subset) and _sent(e, service)]


def localities(
    endpoints: Iterable[Endpoint], balancing: Balancing, client: Client, cluster_id: str
) -> list[endpoint_components_pb2.LocalityLbEndpoints]:
    """Endpoints as a client is to use them, nearest first."""
    return [_locality(place, cluster_id) for place in spread(places(endpoints), balancing, client)]


def _in_subset(endpoint: Endpoint, subset: networking.Subset | None) -> bool:
    return subset is None or all(
        endpoint.labels.get(name) == value for name, value in subset.labels.items()
    )


def _sent(endpoint: Endpoint, service: Service) -> bool:
    """Unhealthy ones only where Envoy is to see them, draining ones only for sessions that stick to
    them."""
    if endpoint.health is Health.UNHEALTHY:
        return service.publish_not_ready or sends_unhealthy(service)
    if endpoint.health is Health.DRAINING:
        return bool(service.labels.get(_SESSION))
    return True


def _locality(place: Place, cluster_id: str) -> endpoint_components_pb2.LocalityLbEndpoints:
    message = endpoint_components_pb2.LocalityLbEndpoints(
        lb_endpoints=[_endpoint(e, cluster_id) for e in place.endpoints],
        load_balancing_weight=wkt.uint32(place.weight),
        priority=place.priority,
    )
    at = place.locality
    message.locality.region, message.locality.zone, message.locality.sub_zone = (
        at.region,
        at.zone,
        at.subzone,
    )
    return message


def _endpoint(endpoint: Endpoint, cluster_id: str) -> endpoint_components_pb2.LbEndpoint:
    message = endpoint_components_pb2.LbEndpoint(
        endpoint=endpoint_components_pb2.Endpoint(address=address(endpoint.address, endpoint.port)),
        health_status=_HEALTH[endpoint.health],
        load_balancing_weight=wkt.uint32(endpoint.weight or 1),
    )
    message.metadata.filter_metadata[ISTIO].CopyFrom(
        wkt.struct({"workload": _workload(endpoint, cluster_id)})
    )
    return message


def _workload(endpoint: Endpoint, cluster_id: str) -> str:
    """What telemetry calls the destination: workload, namespace, canonical name and revision,
    cluster."""
    name = _first(endpoint.labels, _CANONICAL_NAME) or endpoint.workload
    revision = _first(endpoint.labels, _CANONICAL_REVISION)
    return ";".join(
        (
            endpoint.workload,
            endpoint.namespace,
            name,
            "" if revision == "latest" else revision,
            cluster_id,
        )
    )


def _first(labels: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((labels[name] for name in names if name in labels), "")
