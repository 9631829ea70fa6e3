"""The mesh configuration among the objects: the ConfigMap `istio`, or an IstioOperator's
`spec.meshConfig`."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from varka.resources.findings import Findings
from varka.resources.meshconfig import read_wrapped
from varka.resources.model.mesh import MeshConfig
from varka.resources.operator import MESH_CONFIG
from varka.resources.resource import Resource
from varka.store.state import State


def mesh_config_sources(state: State) -> list[Resource[Any]]:
    """The objects that hold one, the one that counts first: the ConfigMap wins over an
    IstioOperator."""
    held = state.resources.get(MESH_CONFIG)
    maps = [held] if held is not None and "mesh" in held.spec.data else []
    operators = state.of("IstioOperator", "install.istio.io")
    return [*maps, *(one for one in operators if (one.raw.get("spec") or {}).get("meshConfig"))]


def mesh_config_of(state: State) -> MeshConfig | None:
    """Merged over Istio's defaults, the same object while its text stays the same; None when no
    object has one. What is wrong with it was told when the object was read."""
    source = next(iter(mesh_config_sources(state)), None)
    if source is None:
        return None
    part = source.raw.get("data") or {"mesh": source.raw["spec"]["meshConfig"]}
    return _merged(source.key.kind, json.dumps(part["mesh"]))


@lru_cache(maxsize=8)
def _merged(kind: str, text: str) -> MeshConfig:
    inner = json.loads(text)
    whole = {"data": {"mesh": inner}} if kind == "ConfigMap" else {"spec": {"meshConfig": inner}}
    return read_wrapped({"kind": kind, **whole}, Findings())
