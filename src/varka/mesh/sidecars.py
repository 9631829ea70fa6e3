"""Which Sidecar resource a workload obeys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from varka.base.names import Namespace
from varka.proxy.node import Proxy
from varka.registry.selectors import selects
from varka.resources.model import networking
from varka.resources.resource import Resource

Sidecar = Resource[networking.Sidecar]


@dataclass(frozen=True, eq=False, slots=True)
class NamespaceSidecars:
    """The Sidecars of one namespace, oldest first."""

    selecting: tuple[Sidecar, ...]
    """Those with a `workloadSelector`."""
    default: Sidecar | None
    """The oldest for all workloads."""


Sidecars = Mapping[Namespace, NamespaceSidecars]
_NONE = NamespaceSidecars((), None)


def by_namespace(sidecars: tuple[Sidecar, ...]) -> Sidecars:
    grouped: dict[Namespace, list[Sidecar]] = {}
    for sidecar in sidecars:
        grouped.setdefault(Namespace(sidecar.namespace), []).append(sidecar)
    return {
        name: NamespaceSidecars(
            tuple(s for s in found if s.spec.workload_selector), next((s for s in found if not s.spec.workload_selector), None)
        )
        for name, found in grouped.items()
    }


def sidecar_of(sidecars: Sidecars, proxy: Proxy, root_namespace: Namespace) -> Sidecar | None:
    """Of the proxy's namespace the oldest that selects its labels, else the oldest for all; else the root namespace's."""
    own = sidecars.get(proxy.namespace, _NONE)
    for sidecar in own.selecting:
        if sidecar.spec.workload_selector and selects(sidecar.spec.workload_selector.labels, proxy.labels):
            return sidecar
    return own.default or sidecars.get(root_namespace, _NONE).default
