"""Which Service ports can be reached from this machine, and where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from varka.local.workload.services import ServiceView

_PRIVILEGED = 1024
_SHIFT = 8000
_STATUS_PORT = 15021


class Publication(Struct, frozen=True):
    """`machine_port` is the port that is wanted on this machine; `service` is
    `name.namespace`."""

    machine_port: int
    service: str
    port: int
    address: str


def publications(
    services: Iterable[ServiceView], wanted: Sequence[tuple[int, str, int]]
) -> list[Publication]:
    """What the command line asks for (port of the machine, Service, its port), where there is such
    a Service; then every other port of Services of type LoadBalancer, which outside of a cluster
    have an address as well: at the same number, of privileged ports at 8000 more (80 at 8080, 443
    at 8443)."""
    by_name = {f"{service.name}.{service.namespace}": service for service in services}
    explicit = [
        Publication(machine_port, name, port, by_name[name].spec.cluster_ip)
        for machine_port, name, port in wanted
        if name in by_name and any(one.port == port for one in by_name[name].spec.ports)
    ]
    known = {(one.service, one.port) for one in explicit}
    balanced = (one for name in sorted(by_name) for one in _of_load_balancer(by_name[name], name))
    return [*explicit, *(one for one in balanced if (one.service, one.port) not in known)]


def _of_load_balancer(service: ServiceView, name: str) -> Iterator[Publication]:
    if service.spec.type != "LoadBalancer":
        return
    for one in service.spec.ports:
        if one.protocol == "TCP" and one.port != _STATUS_PORT:
            number = one.port if one.port >= _PRIVILEGED else one.port + _SHIFT
            yield Publication(number, name, one.port, service.spec.cluster_ip)
