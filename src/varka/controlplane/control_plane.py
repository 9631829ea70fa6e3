"""The control plane: objects in, views out, one event loop. Composes store, compiler, hub and
server."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from varka.analyze.findings import findings, placed
from varka.base.diagnostic import Diagnostic
from varka.base.names import ObjectKey
from varka.base.settings import Settings
from varka.controlplane.events import Event, Events
from varka.controlplane.pushes import Outcome, Pushes
from varka.envoy.compiler import Compiler
from varka.envoy.filters.apply import Rejected
from varka.mesh.config import mesh_config_of
from varka.proxy.node import Proxy
from varka.resources.model.mesh import MeshConfig
from varka.store.files import FileChange, Files
from varka.store.journal import Journal
from varka.store.meshfile import MeshConfigFile
from varka.store.store import Births, Change, Store, Written
from varka.xds.delta import Rejection
from varka.xds.hub import Hub
from varka.xds.server import AdsServer

FILES, APPLY, RUNTIME, MESH_FILE = "file", "apply", "runtime", "mesh-config"
Admit = Callable[[Store], Collection[ObjectKey]]
"""What an API server does to objects before anyone sees them: assigns addresses, adds namespaces.
Returns what it added, changed or removed on its own account."""


@dataclass(frozen=True, slots=True)
class Options:
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


class ControlPlane:
    """`start` it, `run` it, `stop` it. A write changes the state at once; `push` tells when every
    proxy has it."""

    def __init__(
        self, options: Options, tell: Callable[[Event], None] = lambda _event: None
    ) -> None:
        self._options = options
        self.store = Store(options.births)
        self.files = Files(options.paths)
        self._mesh_file = MeshConfigFile(options.mesh_config) if options.mesh_config else None
        self.events = Events(tell)
        self.compiler = Compiler(options.config, options.settings)
        self.hub = Hub(self.compiler, self._failed)
        self._pushes = Pushes(self.hub, self._prepare, self._finished, self._rejected)
        self.server = AdsServer(self.hub, self._pushes.progress)
        self.addresses = options.listen
        self._told = frozenset[Diagnostic]()
        """What could not be made for proxies, as far as events have told it."""

    async def start(self) -> None:
        """Read the manifests and serve. Raises RuntimeError when an address can't be bound."""
        change = self.files.refresh()
        self.store.write(FILES, change.put, change.drop)
        if self._mesh_file:
            self.store.write(MESH_FILE, self._mesh_file.refresh().put)
        if self._options.journal:
            self.store.write(APPLY, self._options.journal.read())
        if self._options.admit is not None:
            self._options.admit(self.store)
        self._prepare()
        for address in self._options.listen:
            self.server.listen(address)
        await self.server.start()

    async def stop(self) -> None:
        await self.server.stop()

    async def run(self) -> None:
        """Push what is written, watch the paths; until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._pushes.run())
            if self._options.watch:
                tasks.create_task(self._watch())
                if self._mesh_file:
                    tasks.create_task(self._watch_mesh_file(self._mesh_file))

    def write(self, source: str, put: Iterable[Written], drop: Iterable[ObjectKey] = ()) -> Change:
        """Put objects, drop those that the source owns. `push` brings the change to the proxies."""
        return self._changed(self.store.write(source, put, drop))

    def replace(self, source: str, put: Iterable[Written]) -> Change:
        """Make these all that a source has."""
        return self._changed(self.store.replace(source, put))

    def delete(self, keys: Iterable[ObjectKey]) -> Change:
        """Drop objects, whoever wrote them."""
        return self._changed(self.store.delete(keys))

    def push(self, change: Change, files: Iterable[str] = ()) -> asyncio.Future[Outcome]:
        """What becomes of a change, when every proxy has answered."""
        return self._pushes.submit(change.keys, files)

    def _changed(self, change: Change) -> Change:
        if change and self._options.journal:
            self._options.journal.note(change.keys, partial(self.store.written, APPLY))
        if change:
            admitted = self._options.admit(self.store) if self._options.admit is not None else ()
            self.events.changed(dict.fromkeys((*change.keys, *admitted)), self.store.state.number)
        return change

    def _prepare(self) -> None:
        state = self.store.state
        try:
            self.compiler.update(state, mesh_config_of(state) or self._options.config)
        except Exception as error:  # A bug of ours: what is served stays as it is.
            self._failed(error)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Of all files, as they are now."""
        told = tuple(d for found in self.files.diagnostics.values() for d in found)
        return (*told, *(self._mesh_file.diagnostics if self._mesh_file else ()))

    async def _watch_mesh_file(self, file: MeshConfigFile) -> None:
        async for change in file.changes():
            self._read(MESH_FILE, change)

    async def _watch(self) -> None:
        async for change in self.files.changes():
            self._read(FILES, change)

    def _read(self, source: str, change: FileChange) -> None:
        self.events.diagnosed(change.files, change.diagnostics)
        done = self.write(source, change.put, change.drop)
        if done:
            self.push(done, change.files)

    def _finished(self, outcome: Outcome) -> None:
        if outcome.keys:
            sent = sum(outcome.bytes_sent.values())
            self.events.applied(outcome.files, outcome.keys, outcome.took_ms, outcome.acked, sent)
        self._tell(outcome)

    def _tell(self, outcome: Outcome) -> None:
        """Of the objects that changed what is wrong; of all others what could not be made since the
        last time."""
        found = dict.fromkeys(d for view in self.hub.views() for d in view.diagnostics)
        news = (placed(d, self.store.state) for d in found if d not in self._told)
        self._told = frozenset(found)
        self.events.diagnosed(outcome.files, dict.fromkeys((*self.findings(outcome.keys), *news)))

    def _failed(self, error: Exception) -> None:
        traceback.print_exception(error)
        self.events.add("failed", error=f"a bug of varka's: {type(error).__name__}: {error}")

    def _rejected(self, proxy: Proxy, rejection: Rejection) -> None:
        """What no proxy has accepted before is set aside, so that the resource arrives without
        it."""
        self.events.rejected(proxy, rejection, self.store.state)
        made_from = (
            patch
            for patch in rejection.resource.patches
            if patch.content not in self.hub.responses.trusted
        )
        if self.compiler.refuse(Rejected(patch, rejection.error.strip()) for patch in made_from):
            self._pushes.submit(())

    def findings(self, about: Collection[ObjectKey] | None = None) -> list[Diagnostic]:
        """What is wrong with objects (all, or these) beyond their form, as the connected proxies
        show it."""
        labels = (connection.proxy.labels for connection in self.hub.connections)
        return findings(self.store.state, self.hub.views(), labels, self._options.settings, about)
