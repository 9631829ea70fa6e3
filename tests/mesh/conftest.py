from __future__ import annotations

from typing import Any

import msgspec
import pytest

from varka.base.diagnostic import Severity
from varka.base.memo import Memo
from varka.base.settings import Settings
from varka.mesh.snapshot import MeshSnapshot, take
from varka.proxy.node import Proxy, from_document
from varka.resources.load import load
from varka.resources.meshconfig import default_mesh_config
from varka.store.state import State


class ChangingMesh:
    """A mesh that changes: each text adds objects or replaces those it holds."""

    def __init__(self) -> None:
        self.state, self.memo = State(), Memo()
        self.settings, self.config = Settings(), default_mesh_config()

    def configure(self, **fields: Any) -> None:
        self.config = msgspec.structs.replace(self.config, **fields)

    def apply(self, *texts: str) -> MeshSnapshot:
        loaded = load([("test.yaml", "\n---\n".join(texts))])
        assert not [d.message for d in loaded.diagnostics if d.severity is Severity.ERROR]
        self.state = self.state.updated((r, loaded.places[r.key]) for r in loaded.resources)
        self.memo.turn()
        return take(self.state, self.config, self.memo, self.settings)


@pytest.fixture
def world() -> ChangingMesh:
    return ChangingMesh()


def proxy_of(
    namespace: str = "default",
    /,
    address: str = "",
    type: str = "sidecar",
    name: str = "app",
    **labels: str,
) -> Proxy:
    return from_document(
        {
            "type": type,
            "namespace": namespace,
            "name": name,
            "labels": labels,
            "ip_addresses": [address] if address else [],
        }
    )


def resource(
    kind: str, name: str, spec: str, namespace: str = "default", metadata: str = ""
) -> str:
    group = "v1" if kind in ("Service", "Pod", "Secret") else "networking.istio.io/v1"
    group = "networking.istio.io/v1alpha3" if kind == "EnvoyFilter" else group
    return (
        f"apiVersion: {group}\nkind: {kind}\nmetadata: {{name: {name}, namespace:"
        f" {namespace}{metadata}}}\nspec: {spec}\n"
    )
