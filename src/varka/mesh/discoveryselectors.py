"""`meshConfig.discoverySelectors`: which namespaces the mesh knows at all."""

from __future__ import annotations

from varka.registry.selectors import matches
from varka.resources.model.mesh import MeshConfig
from varka.store.state import State


def discovered(state: State, config: MeshConfig) -> State:
    """The state without the objects of namespaces that no selector matches; all of it when there is
    no selector."""
    if not config.discovery_selectors:
        return state
    known = {
        n.name
        for n in state.of("Namespace")
        if any(matches(s, n.labels) for s in config.discovery_selectors)
    }
    return state.updated(
        (), (key for key in state.resources if key.namespace and key.namespace not in known)
    )
