"""The Sidecars of each namespace."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from varka.base.names import Namespace
from varka.resources.model import networking
from varka.resources.resource import Resource

Sidecar = Resource[networking.Sidecar]


class NamespaceSidecars(Struct, frozen=True, eq=False):
    """The Sidecars of one namespace, oldest first."""

    selecting: tuple[Sidecar, ...]
    """Those with a `workloadSelector`."""
    default: Sidecar | None
    """The oldest for all workloads."""


Sidecars = Mapping[Namespace, NamespaceSidecars]
NO_SIDECARS = NamespaceSidecars((), None)


def by_namespace(sidecars: tuple[Sidecar, ...]) -> Sidecars:
    grouped: dict[Namespace, list[Sidecar]] = {}
    for sidecar in sidecars:
        grouped.setdefault(Namespace(sidecar.namespace), []).append(sidecar)
    return {
        name: NamespaceSidecars(
            tuple(s for s in found if s.spec.workload_selector),
            next((s for s in found if not s.spec.workload_selector), None),
        )
        for name, found in grouped.items()
    }
