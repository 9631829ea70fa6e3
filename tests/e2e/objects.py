"""Objects that tests make, and their time in the shared mesh."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tests.e2e.rowsmesh import RowsMesh

Object = dict[str, Any]


@contextmanager
def applied(mesh: RowsMesh, *objects: Object) -> Iterator[dict[str, Any]]:
    """Applied while the block runs; the value is the answer of the control plane."""
    answer = mesh.live.apply(objects)
    try:
        yield answer
    finally:
        mesh.live.delete(objects)


def istio(kind: str, name: str, spec: Mapping[str, Any], namespace: str = "default") -> Object:
    """An object of Istio's networking API."""
    metadata = {"name": name, "namespace": namespace}
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": kind,
        "metadata": metadata,
        "spec": dict(spec),
    }
