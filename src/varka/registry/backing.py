"""What Kubernetes says is behind a Service: EndpointSlices and Endpoints as the same value."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from varka.registry.service import Health, Service
from varka.resources.model import kubernetes
from varka.resources.resource import Resource

SERVICE_NAME = "kubernetes.io/service-name"


class BackingAddress(Struct, frozen=True):
    """One address that Kubernetes lists, with its conditions."""

    address: str
    pod: tuple[str, str] | None
    """Namespace and name of the Pod that `targetRef` names."""
    ready: bool
    serving: bool = True
    terminating: bool = False


class Backing(Struct, frozen=True, eq=False):
    """One EndpointSlice, or one subset of an Endpoints object."""

    ports: Mapping[str, int]
    """Port numbers by name; the names are those of the Service's ports."""
    addresses: tuple[BackingAddress, ...]


def of_slice(resource: Resource[kubernetes.EndpointSlice]) -> Backing:
    if resource.spec.address_type == "FQDN":
        return Backing({}, ())
    addresses = tuple(
        BackingAddress(
            address,
            _pod(endpoint.target_ref, resource.namespace),
            endpoint.conditions.ready is not False,
            endpoint.conditions.serving is not False,
            endpoint.conditions.terminating is not False,
        )
        for endpoint in resource.spec.endpoints
        for address in endpoint.addresses
    )
    return Backing({p.name: p.port for p in resource.spec.ports if p.port}, addresses)


def of_endpoints(resource: Resource[kubernetes.Endpoints]) -> tuple[Backing, ...]:
    return tuple(
        Backing(
            {p.name: p.port for p in subset.ports if p.port},
            tuple(
                BackingAddress(a.ip, _pod(a.target_ref, resource.namespace), ready)
                for ready, listed in ((True, subset.addresses), (False, subset.not_ready_addresses))
                for a in listed
            ),
        )
        for subset in resource.spec.subsets
    )


def health(service: Service, address: BackingAddress) -> Health | None:
    """The health that Envoy gets for an address, or None when it must not be used:

    - ready: healthy;
    - terminating: draining if the Service keeps sessions and the address still serves, else None;
    - not ready: unhealthy if the Service publishes such addresses, else None.
    """
    if address.ready:
        return Health.HEALTHY
    if address.terminating:
        return Health.DRAINING if service.sticky and address.serving else None
    return Health.UNHEALTHY if service.publish_not_ready else None


def _pod(reference: kubernetes.ObjectReference | None, namespace: str) -> tuple[str, str] | None:
    if reference is None or reference.kind != "Pod":
        return None
    return (reference.namespace or namespace, reference.name)
