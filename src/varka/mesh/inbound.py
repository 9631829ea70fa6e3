"""What a workload serves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from varka.base.memo import Memo
from varka.base.names import Namespace
from varka.mesh.model import Inbound, IngressListener
from varka.proxy.node import Proxy
from varka.registry.catalogue import NamespaceServices
from varka.registry.endpoints import EndpointTable, service_target
from varka.registry.selectors import selects
from varka.registry.service import Registry, Resolution, Service, ServicePort, ServiceTarget
from varka.registry.workload import Workload
from varka.registry.workloads import NamespaceWorkloads
from varka.resources.model import networking
from varka.resources.resource import Resource

_UNSPECIFIED = ("0.0.0.0:", "[::]:")
Targets = tuple[ServiceTarget, ...]


def workload_of(here: NamespaceWorkloads, proxy: Proxy) -> Workload | None:
    """The pod (or workload entry) a proxy belongs to, where it is known: by address, else by
    name."""
    found = next((here.by_address[a] for a in proxy.addresses if a in here.by_address), None)
    return found or here.by_name.get(proxy.name)


def targets_of(
    memo: Memo,
    services: NamespaceServices | None,
    tables: tuple[EndpointTable, ...],
    workloads: NamespaceWorkloads,
    proxy: Proxy,
) -> Targets:
    """The services of a proxy's namespace that it serves, oldest first; `tables` are their
    endpoints.

    For a pod those whose selector finds it, ready or not; for others those that have an endpoint
    with its address; when nothing knows its address, those that select its labels.
    """
    if services is None:
        return ()
    workload = workload_of(workloads, proxy)
    selected = memo(selected_targets, services, workload) if workload else ()
    index = memo(address_index, services, tables)
    listed = tuple(t for address in proxy.addresses for t in index.get(address, ()))
    if selected:
        listed = tuple(t for t in listed if t.service.registry is not Registry.KUBERNETES)
    elif not listed and workload is None and proxy.labels:
        return memo(labelled_targets, services, tuple(sorted(proxy.labels.items())))
    return tuple(
        sorted(
            dict.fromkeys((*selected, *listed)),
            key=lambda t: (t.service.created, t.service.hostname),
        )
    )


def selected_targets(services: NamespaceServices, workload: Workload) -> Targets:
    """Kubernetes Services whose selector finds a workload; a port name it does not have is no
    target."""
    return _targets(services.services, workload.labels, lambda port: service_target(port, workload))


def labelled_targets(services: NamespaceServices, labels: tuple[tuple[str, str], ...]) -> Targets:
    """Kubernetes Services that select labels of which no workload is known; names of ports lead
    nowhere then."""
    return _targets(
        services.services,
        dict(labels),
        lambda port: port.target if isinstance(port.target, int) else None,
    )


def address_index(
    services: NamespaceServices, tables: tuple[EndpointTable, ...]
) -> Mapping[str, Targets]:
    """What is served at each address, as the endpoints of a namespace's services say."""
    index: dict[str, list[ServiceTarget]] = {}
    for service, table in zip(services.services, tables, strict=True):
        for port in service.ports:
            for endpoint in table.of(port):
                index.setdefault(endpoint.address, []).append(
                    ServiceTarget(service, port, endpoint.port)
                )
    return {address: _distinct(found) for address, found in index.items()}


def _targets(
    services: Iterable[Service],
    labels: Mapping[str, str],
    target: Callable[[ServicePort], int | None],
) -> Targets:
    found: list[ServiceTarget] = []
    for service in services:
        if service.registry is not Registry.KUBERNETES or service.resolution is Resolution.ALIAS:
            continue
        if service.selector and selects(service.selector, labels):
            for port in service.ports:
                number = target(port)
                if number:
                    found.append(ServiceTarget(service, port, number))
    return _distinct(found)


def _distinct(targets: Iterable[ServiceTarget]) -> Targets:
    """Of the ports of a service that lead to the same place with the same protocol, the first."""
    return tuple(
        {(t.service, t.target, t.port.protocol): t for t in reversed(tuple(targets))}.values()
    )[::-1]


def inbound_of(
    memo: Memo, proxy: Proxy, targets: Targets, sidecar: Resource[networking.Sidecar] | None
) -> Inbound:
    """The inbound side; only what is really needed of the proxy's own addresses is in it, so that
    workloads share it."""
    entries = sidecar.spec.ingress if sidecar else ()
    to_self = any(e.default_endpoint.startswith(_UNSPECIFIED) for e in entries)
    unbound = any(not e.bind for e in entries)
    return memo(
        make_inbound,
        proxy.namespace,
        targets,
        sidecar,
        proxy.addresses if to_self else (),
        proxy.addresses[0] if unbound and proxy.addresses else "",
    )


def make_inbound(
    namespace: Namespace,
    targets: Targets,
    sidecar: Resource[networking.Sidecar] | None,
    addresses: tuple[str, ...],
    address: str,
) -> Inbound:
    entries = sidecar.spec.ingress if sidecar else ()
    return Inbound(
        namespace=namespace,
        targets=targets,
        ingress=tuple(IngressListener(e, _replaced(e, targets)) for e in entries) or None,
        sidecar=sidecar.key if sidecar else None,
        connection_pool=sidecar.spec.inbound_connection_pool if sidecar else None,
        addresses=addresses,
        address=address,
    )


def _replaced(entry: networking.IstioIngressListener, targets: Targets) -> ServiceTarget | None:
    """The service port that an ingress listener stands for: the one that the workload serves
    there."""
    number = entry.port.number if entry.port else 0
    return next((t for t in targets if t.target == number), None)
