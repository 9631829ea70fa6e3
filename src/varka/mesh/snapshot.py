"""The mesh at one moment: everything that compiling a proxy's configuration may ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from varka.base.names import Namespace
from varka.base.settings import Settings
from varka.mesh.model import FilterPatch, Inbound, MergedGateway, Scope
from varka.proxy.node import Proxy
from varka.registry.model import Endpoint, Service, ServicePort
from varka.resources.model.mesh import MeshConfig

if TYPE_CHECKING:
    from varka.base.memo import Memo
    from varka.store.state import State


@dataclass(frozen=True, eq=False, slots=True)
class MeshSnapshot:
    """Immutable and numbered. All answers are the same objects for equal questions, and over snapshots while
    nothing they depend on changed."""

    number: int
    config: MeshConfig
    root_namespace: Namespace

    def services(self) -> tuple[Service, ...]:
        """All services, oldest first."""
        raise NotImplementedError

    def endpoints(self, service: Service, port: ServicePort) -> tuple[Endpoint, ...]:
        """All endpoints of a service port, whatever subset; in a stable order."""
        raise NotImplementedError

    def scope(self, proxy: Proxy) -> Scope:
        """The outbound side of a sidecar, or of a router (all visible services, no egress listener)."""
        raise NotImplementedError

    def inbound(self, proxy: Proxy) -> Inbound:
        raise NotImplementedError

    def gateway(self, proxy: Proxy) -> MergedGateway:
        raise NotImplementedError

    def filters(self, proxy: Proxy) -> tuple[FilterPatch, ...]:
        """EnvoyFilter patches for a proxy: the root namespace's, then its own; by priority, age, name."""
        raise NotImplementedError


def take(state: State, config: MeshConfig, memo: Memo, settings: Settings) -> MeshSnapshot:
    """The snapshot of a state."""
    raise NotImplementedError
