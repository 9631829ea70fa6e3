"""Which services a router needs when it gets no others (`PILOT_FILTER_GATEWAY_CLUSTER_CONFIG`)."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import structs

from varka.base.names import Namespace
from varka.mesh.model import MergedGateway
from varka.mesh.virtualservices import destinations
from varka.resources.model import networking
from varka.resources.model.mesh import MeshConfig
from varka.resources.resource import Resource

_REFERENCED = "envoyfilter.istio.io/referenced-services"
_EVERYBODY = Namespace("")


def needed_services(
    gateway: MergedGateway,
    config: MeshConfig,
    filters: tuple[Resource[networking.EnvoyFilter], ...],
) -> frozenset[str]:
    """Hosts, or `namespace/host`: what the VirtualServices of its gateways route to, what extension
    providers name, what EnvoyFilters say they refer to."""
    routed = (
        host for rule in gateway.virtual_services for host in destinations(rule.spec, _EVERYBODY)
    )
    referenced = (
        name for f in filters for name in f.annotations.get(_REFERENCED, "").split(",") if name
    )
    return frozenset((*routed, *_providers(config), *referenced))


def _providers(config: MeshConfig) -> Iterable[str]:
    for provider in config.extension_providers:
        for field in structs.fields(provider):
            service = getattr(getattr(provider, field.name), "service", "")
            if service:
                yield service
