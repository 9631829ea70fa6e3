"""What a control plane is made of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from varka.base.diagnostic import Diagnostic
from varka.base.names import ObjectKey
from varka.base.settings import Settings
from varka.resources.model.mesh import MeshConfig
from varka.store.files import Files
from varka.store.journal import Journal
from varka.store.meshfile import MeshConfigFile
from varka.store.source import Source
from varka.store.state import State
from varka.store.store import Births, Store


class Admit(Protocol):
    """What an API server does to objects before anyone sees them."""

    def __call__(self, store: Store) -> Collection[ObjectKey]:
        """Assign addresses, add namespaces; what it added, changed or removed on its own
        account."""

    def findings(
        self, state: State, about: Collection[ObjectKey] | None = None
    ) -> Sequence[Diagnostic]:
        """What will not be done with objects (all, or these) although they are accepted."""


class Options(Struct, frozen=True):
    """Where objects come from and where proxies connect."""

    paths: tuple[str, ...]
    listen: tuple[str, ...]
    """`host:port` or `unix:path` of the ADS server."""
    config: MeshConfig
    """Used where no object holds a mesh configuration."""
    settings: Settings
    watch: bool = True
    births: Births | None = None
    admit: Admit | None = None
    mesh_config: Path | None = None
    """A file with the mesh configuration."""
    journal: Journal | None = None
    """Keeps what `apply` brought over a restart."""

    def sources(self) -> tuple[Source, ...]:
        """In the order in which they are read first: of one object the last one wins."""
        sources: list[Source] = [Files(self.paths, watch=self.watch)]
        if self.mesh_config:
            sources.append(MeshConfigFile(self.mesh_config, watch=self.watch))
        if self.journal:
            sources.append(self.journal)
        return tuple(sources)
