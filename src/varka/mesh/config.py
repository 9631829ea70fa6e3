"""The mesh configuration among the objects: the ConfigMap `istio`, or an IstioOperator's `spec.meshConfig`."""

from __future__ import annotations

import json
from typing import Any

from varka.base.diagnostic import Diagnostic
from varka.resources.meshconfig import load_mesh_config
from varka.resources.model.mesh import MeshConfig
from varka.resources.resource import Resource
from varka.store.state import State

SYSTEM = "istio-system"


def mesh_config_source(state: State) -> Resource[Any] | None:
    """The object that holds it; the ConfigMap wins over an IstioOperator."""
    maps = (m for m in state.of("ConfigMap") if m.key[2:] == (SYSTEM, "istio") and "mesh" in m.spec.data)
    operators = (o for o in state.of("IstioOperator", "install.istio.io") if (o.raw.get("spec") or {}).get("meshConfig"))
    return next(maps, None) or next(operators, None)


def mesh_config_of(state: State) -> tuple[MeshConfig | None, tuple[Diagnostic, ...]]:
    """Merged over Istio's defaults; None when no object has one."""
    source = mesh_config_source(state)
    if source is None:
        return None, ()
    return load_mesh_config(json.dumps(source.raw), state.places[source.key].file)
