"""What a VirtualService's destinations mean to one client: the small value its routes depend on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from msgspec import Struct

from varka.base.names import ClusterName, Hostname
from varka.envoy.istio_names import outbound_cluster
from varka.envoy.routes.hash import destination_hash
from varka.mesh.model import MergedRule
from varka.registry.service import Service
from varka.resources.model import networking

_UNKNOWN = ClusterName("UnknownService")
"""The cluster of a destination without host; nothing has this name, so that requests get 503."""


class Target(NamedTuple):
    """What is known of one destination host: the name its clusters carry, its only port (0: it has
    several, or none is known), its rule. Equal targets make equal routes."""

    host: str
    name: str
    port: int = 0
    rule: MergedRule | None = None


def target_of(
    host: str, service: Service | None, ports: Iterable[int], rule: MergedRule | None
) -> Target:
    """`ports` are those of `service` that count for the client. An ExternalName stands for the
    service it names."""
    known = tuple(ports)
    name = service.external_name if service is not None and service.external_name else host
    return Target(host, name, known[0] if service is not None and len(known) == 1 else 0, rule)


class Targets(Struct, frozen=True):
    """The targets of one VirtualService's destinations, for requests that arrived at `port`."""

    by_host: Mapping[str, Target]
    port: int

    @classmethod
    def of(cls, targets: Iterable[Target], port: int) -> Targets:
        return cls({target.host: target for target in targets}, port)

    def cluster(self, destination: networking.Destination) -> ClusterName:
        """Without a port a destination means its service's only one, else the one the request
        arrived at."""
        if not destination.host:
            return _UNKNOWN
        target = self.by_host.get(destination.host) or Target(destination.host, destination.host)
        port = destination.port.number if destination.port else target.port or self.port
        return outbound_cluster(port, destination.subset, target.name)

    def hash(self, destination: networking.Destination) -> networking.ConsistentHashLB | None:
        target = self.by_host.get(destination.host)
        return destination_hash(target.rule, destination) if target else None


def destination_hosts(spec: networking.VirtualService) -> tuple[Hostname, ...]:
    """All hosts that `http` rules send requests (or copies of them) to, each once."""
    return tuple(
        dict.fromkeys(
            Hostname(destination.host)
            for route in spec.http
            for destination in _destinations(route)
        )
    )


def _destinations(route: networking.HTTPRoute) -> Iterator[networking.Destination]:
    named = (
        *(weighted.destination for weighted in route.route),
        route.mirror,
        *(policy.destination for policy in route.mirrors),
    )
    return (destination for destination in named if destination is not None)
