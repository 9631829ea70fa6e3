"""Which Sidecar resource a workload obeys."""

from __future__ import annotations

from collections.abc import Iterable

from varka.base.names import Namespace
from varka.proxy.node import Proxy
from varka.registry.selectors import selects
from varka.resources.model import networking
from varka.resources.resource import Resource

Sidecar = Resource[networking.Sidecar]


def sidecar_of(sidecars: Iterable[Sidecar], proxy: Proxy, root_namespace: Namespace) -> Sidecar | None:
    """Of the proxy's namespace the oldest that selects its labels, else the oldest for all; else the root namespace's."""
    own = [s for s in sidecars if s.namespace == proxy.namespace]
    selecting = (s for s in own if s.spec.workload_selector and selects(s.spec.workload_selector.labels, proxy.labels))
    default = (s for s in own if s.spec.workload_selector is None)
    of_root = (s for s in sidecars if s.namespace == root_namespace and s.spec.workload_selector is None)
    return next(selecting, None) or next(default, None) or next(of_root, None)
