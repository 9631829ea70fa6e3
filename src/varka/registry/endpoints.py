"""Endpoints of services, from what Kubernetes lists or from the workloads a selector finds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from varka.proxy.node import Locality
from varka.registry.backing import Backing, health
from varka.registry.service import Endpoint, Health, Protocol, Resolution, Service, ServicePort
from varka.registry.topology import Topology, endpoint_labels
from varka.registry.workload import Workload


class EndpointTable(Struct, frozen=True, eq=False):
    """All endpoints of a service by service port number."""

    ports: Mapping[int, tuple[Endpoint, ...]]

    def of(self, port: ServicePort) -> tuple[Endpoint, ...]:
        return self.ports.get(port.number, ())


EMPTY = EndpointTable({})


def listed(
    service: Service,
    backings: tuple[Backing, ...],
    workloads: tuple[Workload | None, ...],
    topology: Topology,
) -> EndpointTable:
    """Endpoints of EndpointSlices; `workloads` has the one behind each address, in the order of the
    addresses. An address that names a pod nobody knows waits for it: without the pod its identity
    is unknown."""
    by_port: dict[int, dict[tuple[str, int], Endpoint]] = {
        port.number: {} for port in service.ports
    }
    entries = ((backing, address) for backing in backings for address in backing.addresses)
    for (backing, address), workload in zip(entries, workloads, strict=True):
        state = health(service, address)
        if state is None or (address.pod and workload is None):
            continue
        for port in service.ports:
            number = backing.ports.get(port.name)
            if number:
                by_port[port.number][address.address, number] = _endpoint(
                    address.address, number, workload, topology, state
                )
    return EndpointTable({number: tuple(each.values()) for number, each in by_port.items()})


def selected(service: Service, workloads: tuple[Workload, ...]) -> EndpointTable:
    """Endpoints of a Kubernetes Service straight from the workloads that its selector finds."""
    return EndpointTable(
        {port.number: tuple(_selected(service, port, workloads)) for port in service.ports}
    )


def entry(service: Service, workloads: tuple[Workload, ...]) -> EndpointTable:
    """Endpoints of a ServiceEntry's host."""
    return EndpointTable(
        {
            port.number: tuple(
                _endpoint(w.addresses[0], entry_target(port, w), w)
                for w in workloads
                if w.addresses
            )
            for port in service.ports
        }
    )


def merged(service: Service, tables: tuple[EndpointTable, ...]) -> EndpointTable:
    """The endpoints of services of one name in one namespace, together. With resolution
    DNS_ROUND_ROBIN a port has those of one service only: Envoy takes no more than one name."""
    result: dict[int, tuple[Endpoint, ...]] = {}
    for table in tables:
        for number, endpoints in table.ports.items():
            known = result.get(number, ())
            if not (known and service.resolution is Resolution.DNS_ROUND_ROBIN):
                result[number] = (*known, *endpoints)
    return EndpointTable(result)


def service_target(port: ServicePort, workload: Workload) -> int | None:
    """Where a workload serves a port of a Kubernetes Service; None when it has no port of that
    name."""
    if workload.is_pod:
        transport = "UDP" if port.protocol is Protocol.UDP else "TCP"
        return (
            port.target
            if isinstance(port.target, int)
            else workload.ports.get(f"{transport}/{port.target}")
        )
    if isinstance(port.target, str):
        return workload.ports.get(port.target)
    return workload.ports.get(port.name) or port.target


def entry_target(port: ServicePort, workload: Workload) -> int:
    """Where a workload serves a port of a ServiceEntry: its own port of that name, else
    `targetPort`, else the number."""
    if workload.addresses and workload.addresses[0].startswith("unix://"):
        return 0
    named = workload.ports.get(f"TCP/{port.name}" if workload.is_pod else port.name)
    return named or (port.target if isinstance(port.target, int) else 0) or port.number


def _selected(
    service: Service, port: ServicePort, workloads: Iterable[Workload]
) -> Iterable[Endpoint]:
    for workload in workloads:
        target = service_target(port, workload)
        if target and workload.addresses and (workload.ready or service.publish_not_ready):
            yield _endpoint(workload.addresses[0], target, workload)


def _endpoint(
    address: str,
    port: int,
    workload: Workload | None,
    topology: Topology | None = None,
    state: Health = Health.HEALTHY,
) -> Endpoint:
    if workload is None:
        cluster, network = (topology.cluster, topology.network) if topology else ("", "")
        return Endpoint(
            address,
            port,
            endpoint_labels({}, Locality(), cluster, "", network),
            network=network,
            health=state,
        )
    return Endpoint(
        address=address,
        port=port,
        labels=workload.labels,
        namespace=workload.namespace,
        service_account=workload.service_account,
        workload=workload.name,
        locality=workload.locality,
        network=workload.network,
        node=workload.node,
        weight=workload.weight,
        tls_mode=workload.tls_mode,
        health=state,
    )
