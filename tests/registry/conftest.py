from __future__ import annotations

from collections.abc import Callable

import pytest

from varka.base.diagnostic import Severity
from varka.base.memo import Memo
from varka.base.names import Namespace
from varka.base.settings import Settings
from varka.registry import registry
from varka.registry.registry import ServiceRegistry
from varka.registry.service import Endpoint, Service
from varka.resources.load import load
from varka.resources.meshconfig import default_mesh_config
from varka.store.state import State

Take = Callable[[str], ServiceRegistry]


class Registries:
    """One registry after another: each text changes the objects that it holds."""

    def __init__(self) -> None:
        self.state, self.memo, self.settings, self.config = (
            State(),
            Memo(),
            Settings(),
            default_mesh_config(),
        )

    def apply(self, text: str) -> ServiceRegistry:
        loaded = load([("test.yaml", text)])
        assert not [d.message for d in loaded.diagnostics if d.severity is Severity.ERROR]
        self.state = self.state.updated((r, loaded.places[r.key]) for r in loaded.resources)
        self.memo.turn()
        return registry.take(
            self.state, self.config, self.memo, self.settings, Namespace("istio-system")
        )


@pytest.fixture
def registries() -> Registries:
    return Registries()


@pytest.fixture
def take(registries: Registries) -> Take:
    return registries.apply


def service(found: ServiceRegistry, host: str) -> Service:
    """The only service of that name."""
    (only,) = (s for s in found.catalogue.services if s.hostname == host)
    return only


def endpoints(found: ServiceRegistry, host: str, port: int) -> tuple[Endpoint, ...]:
    return found.tables[service(found, host)].ports[port]
