"""All workloads of the mesh, by namespace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from varka.base.memo import Memo
from varka.proxy.node import Locality
from varka.registry.per_object import PerObjectCache
from varka.registry.selectors import selects
from varka.registry.service import Service
from varka.registry.topology import NETWORK, Topology, node_locality, topology
from varka.registry.workload import Workload, of_pod, of_workload_entry
from varka.resources.resource import Resource
from varka.store.state import State

ISTIO = "networking.istio.io"


class NamespaceWorkloads(Struct, frozen=True, eq=False):
    """Pods and workload entries of one namespace; the same object while none of them changed."""

    pods: tuple[Workload, ...]
    entries: tuple[Workload, ...]
    by_name: Mapping[str, Workload]
    """The pods by their names; entries are not in it."""
    by_address: Mapping[str, Workload]
    """The workload at each address: an entry rather than a pod, and the oldest of several."""
    pods_by_address: Mapping[str, Workload]


NOTHING = NamespaceWorkloads((), (), {}, {}, {})
Workloads = Mapping[str, NamespaceWorkloads]


def take_topology(state: State, memo: Memo, cluster: str, root_namespace: str) -> Topology:
    nodes = frozenset((node.name, memo(locality_of, node)) for node in state.of("Node"))
    located = frozenset(pair for pair in nodes if pair[1] != Locality())
    root = next((n for n in state.of("Namespace") if n.name == root_namespace), None)
    return memo(topology, cluster, root.labels.get(NETWORK, "") if root else "", located)


def locality_of(node: Resource[object]) -> Locality:
    return node_locality(node.labels)


def take_workloads(state: State, memo: Memo, where: Topology) -> Workloads:
    pods = memo(_by_namespace, memo(PerObjectCache, of_pod, where), state.of("Pod"))
    entries = memo(
        _by_namespace,
        memo(PerObjectCache, of_workload_entry, where),
        state.of("WorkloadEntry", ISTIO),
    )
    return {
        name: memo(namespace_workloads, tuple(pods.get(name, ())), tuple(entries.get(name, ())))
        for name in dict.fromkeys((*pods, *entries))
    }


def namespace_workloads(
    pods: tuple[Workload, ...], entries: tuple[Workload, ...]
) -> NamespaceWorkloads:
    pods_by_address = _by_address(pods)
    by_name = {p.source.name: p for p in pods}
    return NamespaceWorkloads(
        pods, entries, by_name, {**pods_by_address, **_by_address(entries)}, pods_by_address
    )


def chosen_by_service(
    service: Service, workloads: NamespaceWorkloads, with_pods: bool
) -> tuple[Workload, ...]:
    """What the selector of a Kubernetes Service finds: workload entries always, pods only where
    Kubernetes did not already list them."""
    if not service.selector:
        return ()
    candidates = (
        *(workloads.pods if with_pods else ()),
        *(e for e in workloads.entries if e.has_ip and e.ready),
    )
    return tuple(w for w in candidates if selects(service.selector, w.labels))


def chosen_by_entry(
    selector: tuple[tuple[str, str], ...], by_name: bool, workloads: NamespaceWorkloads
) -> tuple[Workload, ...]:
    """What `workloadSelector` of a ServiceEntry finds; names instead of addresses serve only
    resolution by DNS."""
    wanted = dict(selector)
    return tuple(
        w
        for w in (*workloads.pods, *workloads.entries)
        if w.ready
        and w.addresses
        and (w.is_pod or by_name or w.has_ip)
        and selects(wanted, w.labels)
    )


def _by_address(workloads: tuple[Workload, ...]) -> dict[str, Workload]:
    return {address: w for w in reversed(workloads) for address in w.addresses}


def _by_namespace(
    each: PerObjectCache[Workload], items: tuple[Resource[Any], ...]
) -> dict[str, list[Workload]]:
    result: dict[str, list[Workload]] = {}
    for resource, value in each.of(items).items():
        result.setdefault(resource.key.namespace, []).append(value)
    return result
