"""The services of a state, with their endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from varka.base.memo import Memo
from varka.base.names import Namespace
from varka.base.settings import Settings
from varka.registry import endpoints, kubernetes, serviceentry
from varka.registry.allocation import declared, derive, wants_addresses
from varka.registry.backing import SERVICE_NAME, Backing, of_endpoints, of_slice
from varka.registry.catalogue import Catalogue, take_catalogue
from varka.registry.endpoints import EMPTY, EndpointTable
from varka.registry.per_object import PerObjectCache
from varka.registry.service import Resolution, Service
from varka.registry.topology import Topology
from varka.registry.workload import Workload
from varka.registry.workloads import (
    ISTIO,
    NOTHING,
    NamespaceWorkloads,
    Workloads,
    chosen_by_entry,
    chosen_by_service,
    take_topology,
    take_workloads,
)
from varka.resources.model import networking
from varka.resources.model.mesh import MeshConfig
from varka.resources.resource import Resource
from varka.store.state import State

Entry = Resource[networking.ServiceEntry]


class ServiceRegistry(Struct, frozen=True, eq=False):
    """All services, endpoints and workloads of one state."""

    catalogue: Catalogue
    tables: Mapping[Service, EndpointTable]
    """The endpoints of each service of the catalogue."""
    workloads: Workloads


def take(
    state: State, config: MeshConfig, memo: Memo, settings: Settings, root_namespace: Namespace
) -> ServiceRegistry:
    """Everything made from unchanged objects is the same object as the last time with this memo."""
    where = take_topology(state, memo, settings.cluster_id, root_namespace)
    workloads = take_workloads(state, memo, where)
    trust = config.trust_domain or settings.domain
    exports = config.default_service_export_to
    from_kubernetes = memo.nested(
        _kubernetes_services,
        state.of("Service"),
        state.of("Namespace"),
        exports,
        settings.domain,
        trust,
    )
    from_entries = _entry_services(state, config, memo, settings)
    tables = _kubernetes_tables(state, memo, from_kubernetes, workloads, where)
    tables.update(_entry_tables(memo, from_entries, workloads, where))
    catalogue = take_catalogue(memo, (*from_kubernetes, *from_entries))
    for service, parts in catalogue.parts.items():
        tables[service] = memo(endpoints.merged, service, tuple(tables[part] for part in parts))
    return ServiceRegistry(catalogue, tables, workloads)


def _kubernetes_services(
    memo: Memo,
    services: tuple[Resource[Any], ...],
    namespaces: tuple[Resource[Any], ...],
    exports: tuple[str, ...],
    domain: str,
    trust: str,
) -> tuple[Service, ...]:
    notes = {n.name: n.annotations.get(kubernetes.TRAFFIC_DISTRIBUTION, "") for n in namespaces}
    return tuple(
        memo(kubernetes.service, s, exports, notes.get(s.key.namespace, ""), domain, trust)
        for s in services
    )


def _entry_services(
    state: State, config: MeshConfig, memo: Memo, settings: Settings
) -> dict[Service, Entry]:
    namespaces = {n.name: n for n in state.of("Namespace")}
    result: dict[Service, Entry] = {}
    for entry in state.of("ServiceEntry", ISTIO):
        namespace = namespaces.get(entry.namespace)
        seen = serviceentry.entry_visibility(
            config.service_entry_visibility, namespace.labels if namespace else {}
        )
        note = namespace.annotations.get(kubernetes.TRAFFIC_DISTRIBUTION, "") if namespace else ""
        for service in memo(
            serviceentry.services, entry, config.default_service_export_to, seen, note
        ):
            result[service] = entry
    return _with_addresses(memo, result)


def _with_addresses(memo: Memo, services: dict[Service, Entry]) -> dict[Service, Entry]:
    wanting = [service for service in services if wants_addresses(service)]
    if not wanting:
        return services
    derived = memo(derive, tuple(_key(service) for service in sorted(wanting, key=lambda s: s.age)))
    chosen = {
        s: memo(declared, services[s]).get(s.hostname) or derived.get(_key(s), ()) for s in wanting
    }
    return {
        memo(_with_auto, s, chosen[s]) if s in chosen else s: entry for s, entry in services.items()
    }


def _with_auto(service: Service, addresses: tuple[str, ...]) -> Service:
    return replace(service, auto_addresses=addresses)


def _key(service: Service) -> str:
    return f"{service.namespace}/{service.hostname}"


def _kubernetes_tables(
    state: State, memo: Memo, services: tuple[Service, ...], workloads: Workloads, where: Topology
) -> dict[Service, EndpointTable]:
    backings = _backings(state, memo)
    tables: dict[Service, EndpointTable] = {}
    for namespace, own in memo(_by_namespace, services).items():
        behind = tuple(backings.get(namespace, {}).items())
        here = workloads.get(namespace, NOTHING)
        tables.update(
            zip(own, memo.nested(_namespace_tables, own, behind, here, where), strict=True)
        )
    return tables


def _by_namespace(services: tuple[Service, ...]) -> Mapping[str, tuple[Service, ...]]:
    grouped: dict[str, list[Service]] = {}
    for service in services:
        grouped.setdefault(service.namespace, []).append(service)
    return {name: tuple(own) for name, own in grouped.items()}


def _namespace_tables(
    memo: Memo,
    services: tuple[Service, ...],
    backings: tuple[tuple[str, tuple[Backing, ...]], ...],
    here: NamespaceWorkloads,
    where: Topology,
) -> tuple[EndpointTable, ...]:
    by_name = dict(backings)
    return tuple(
        _table(memo, service, by_name.get(service.name, ()), here, where) for service in services
    )


def _table(
    memo: Memo,
    service: Service,
    behind: tuple[Backing, ...],
    here: NamespaceWorkloads,
    where: Topology,
) -> EndpointTable:
    table = (
        memo(endpoints.listed, service, behind, memo(pods_behind, behind, here), where)
        if behind
        else EMPTY
    )
    if (
        service.selector
        and service.resolution is not Resolution.ALIAS
        and (here.entries or not behind)
    ):
        return _add_selected(memo, service, table, here, not behind)
    return table


def _add_selected(
    memo: Memo, service: Service, table: EndpointTable, here: NamespaceWorkloads, with_pods: bool
) -> EndpointTable:
    chosen = memo(chosen_by_service, service, here, with_pods)
    selected = memo(endpoints.selected, service, chosen)
    return selected if table is EMPTY else memo(endpoints.merged, service, (table, selected))


def _backings(state: State, memo: Memo) -> dict[str, dict[str, tuple[Backing, ...]]]:
    """What Kubernetes lists, by namespace and name of the Service. An Endpoints object counts only
    where there is no EndpointSlice."""
    result: dict[str, dict[str, tuple[Backing, ...]]] = {}
    for each, backing in (
        memo(PerObjectCache, of_slice).of(state.of("EndpointSlice", "discovery.k8s.io")).items()
    ):
        here, name = result.setdefault(each.key.namespace, {}), each.labels.get(SERVICE_NAME, "")
        here[name] = (*here[name], backing) if name in here else (backing,)
    for endpoints_, backings in (
        memo(PerObjectCache, of_endpoints).of(state.of("Endpoints")).items()
    ):
        result.setdefault(endpoints_.key.namespace, {}).setdefault(endpoints_.key.name, backings)
    return result


def pods_behind(
    backings: tuple[Backing, ...], here: NamespaceWorkloads
) -> tuple[Workload | None, ...]:
    """The pod behind each address: the one it names, else one of the Service's namespace with that
    address."""
    return tuple(
        here.by_name.get(address.pod[1])
        if address.pod
        else here.pods_by_address.get(address.address)
        for backing in backings
        for address in backing.addresses
    )


def _entry_tables(
    memo: Memo, services: Mapping[Service, Entry], workloads: Workloads, where: Topology
) -> dict[Service, EndpointTable]:
    return {
        service: memo(
            endpoints.entry, service, _entry_workloads(memo, service, resource, workloads, where)
        )
        for service, resource in services.items()
    }


def _entry_workloads(
    memo: Memo, service: Service, resource: Entry, workloads: Workloads, where: Topology
) -> tuple[Workload, ...]:
    by_name = service.resolution in serviceentry.DNS_RESOLUTIONS
    selector = resource.spec.workload_selector
    if selector is not None:
        here = workloads.get(service.namespace, NOTHING)
        return memo(chosen_by_entry, tuple(selector.labels.items()), by_name, here)
    if resource.spec.endpoints:
        return memo(serviceentry.inline_workloads, resource, where)
    return (memo(serviceentry.own_name, service.hostname, resource.key),) if by_name else ()
