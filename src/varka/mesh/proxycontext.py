"""What the objects of a proxy's own namespace decide about it. What it sees of other services is
its `Scope`."""

from __future__ import annotations

from msgspec import Struct

from varka.base.memo import Memo
from varka.base.names import Namespace, ObjectKey
from varka.mesh.destinationrules import NamespaceRules
from varka.mesh.envoyfilters import Filter, patches_for
from varka.mesh.inbound import Targets, inbound_of, targets_of, workload_of
from varka.mesh.model import FilterPatch, Inbound
from varka.mesh.sidecars import NamespaceSidecars, Sidecar
from varka.proxy.node import Locality, Proxy
from varka.registry.catalogue import NamespaceServices
from varka.registry.endpoints import EndpointTable
from varka.registry.selectors import selects
from varka.registry.topology import declared_locality
from varka.registry.workloads import NamespaceWorkloads


class NamespaceIndex(Struct, frozen=True, eq=False):
    """All that a namespace says of its proxies: the same object while none of it changed, so that a
    proxy's context is looked up, not decided again, when something changes elsewhere."""

    services: NamespaceServices | None
    tables: tuple[EndpointTable, ...]
    """The endpoints of these services."""
    workloads: NamespaceWorkloads
    rules: NamespaceRules | None
    sidecars: NamespaceSidecars
    fallback: Sidecar | None
    """The root namespace's Sidecar for all."""
    filters: tuple[Filter, ...]
    """EnvoyFilters of this and of the root namespace."""
    root_namespace: Namespace


class ProxyContext(Struct, frozen=True, eq=False):
    """A proxy's place in its namespace. The same object while nothing in the namespace changed."""

    namespace: Namespace
    sidecar: Sidecar | None
    """The one it obeys."""
    selected: frozenset[ObjectKey]
    """DestinationRules of the namespace whose `workloadSelector` matches it."""
    targets: Targets
    inbound: Inbound
    patches: tuple[FilterPatch, ...]
    """In the order of application."""
    locality: Locality
    """Where it runs."""


def proxy_context_of(memo: Memo, index: NamespaceIndex, proxy: Proxy) -> ProxyContext:
    sidecar = _sidecar(index, proxy)
    targets = targets_of(memo, index.services, index.tables, index.workloads, proxy)
    return ProxyContext(
        namespace=proxy.namespace,
        sidecar=sidecar,
        selected=frozenset(
            key
            for key, wanted in (index.rules.selectors if index.rules else ())
            if selects(wanted, proxy.labels)
        ),
        targets=targets,
        inbound=inbound_of(memo, proxy, targets, sidecar),
        patches=patches_for(index.filters, proxy, index.root_namespace),
        locality=_locality(index, proxy),
    )


def _locality(index: NamespaceIndex, proxy: Proxy) -> Locality:
    """As its workload's labels or node say, or its own labels; else what it says itself."""
    workload = workload_of(index.workloads, proxy)
    known = workload.locality if workload else declared_locality(proxy.labels)
    return known if known != Locality() else proxy.locality


def _sidecar(index: NamespaceIndex, proxy: Proxy) -> Sidecar | None:
    """Of the proxy's namespace the oldest that selects its labels, else the oldest for all; else
    the root namespace's."""
    for sidecar in index.sidecars.selecting:
        if sidecar.spec.workload_selector and selects(
            sidecar.spec.workload_selector.labels, proxy.labels
        ):
            return sidecar
    return index.sidecars.default or index.fallback
