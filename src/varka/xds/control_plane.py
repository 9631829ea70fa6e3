"""The control plane: objects in, views out, one event loop. Composes store, compiler, hub and server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from varka.base.diagnostic import Diagnostic
from varka.base.names import ObjectKey
from varka.base.settings import Settings
from varka.envoy.compiler import Compiler
from varka.mesh.config import mesh_config_of
from varka.resources.model.mesh import MeshConfig
from varka.store.files import FileChange, Files
from varka.store.store import Births, Change, Store
from varka.xds.events import Events
from varka.xds.hub import Connection, Hub
from varka.xds.server import AdsServer

FILES, APPLY, RUNTIME = "file", "apply", "runtime"
Admit = Callable[[Store], None]
"""What an API server does to objects before anyone sees them: assigns addresses, adds namespaces."""


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


class ControlPlane:
    """`start`, then `change` for each write; `stop` closes the streams in order."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self.store = Store(options.births)
        self.files = Files(options.paths)
        self.events = Events()
        self.compiler = Compiler(options.config, options.settings)
        self.hub = Hub(self.compiler)
        self.server = AdsServer(self.hub, self._progress)
        self.diagnostics: tuple[Diagnostic, ...] = ()
        """Of the mesh configuration."""
        self._progressed = asyncio.Event()

    async def start(self) -> None:
        """Read the manifests and serve. Raises RuntimeError when an address can't be bound."""
        change = self.files.refresh()
        self.commit(self.store.write(FILES, change.put, change.drop))
        for address in self._options.listen:
            self.server.listen(address)
        await self.server.start()

    async def stop(self) -> None:
        await self.server.stop()

    async def watch(self) -> None:
        """Apply what is saved below the paths, until cancelled."""
        async for change in self.files.changes():
            await self.apply_files(change)

    async def apply_files(self, change: FileChange) -> None:
        """Commit a file change and tell when every proxy has it."""
        began = time.monotonic()
        self.events.diagnosed(change.files, change.diagnostics)
        done = self.store.write(FILES, change.put, change.drop)
        if done:
            sent = self.sent_bytes()
            self.commit(done)
            await self.acknowledged()
            took = (time.monotonic() - began) * 1000
            self.events.applied(change.files, done.keys, took, len(self.hub.connections), self.sent_bytes() - sent)

    def commit(self, change: Change) -> int:
        """Move all proxies to the state after a change; how many get something else."""
        if not change and change.state.number:
            return 0
        if self._options.admit is not None:
            self._options.admit(self.store)
        state = self.store.state
        found, self.diagnostics = mesh_config_of(state)
        self.compiler.update(state, found or self._options.config)
        pushed = len(self.hub.publish())
        self.events.changed(change.keys, state.number)
        return pushed

    async def acknowledged(self, timeout: float | None = None) -> bool:
        """Wait until every proxy answered everything; False when the time (seconds) is over."""
        try:
            async with asyncio.timeout(timeout):
                while not all(c.stream.settled() for c in self.hub.connections):
                    self._progressed.clear()
                    await self._progressed.wait()
        except TimeoutError:
            return False
        return True

    def sent_bytes(self) -> int:
        return sum(self.hub.responses.sent_bytes.values())

    def unused_patches(self) -> Iterable[tuple[ObjectKey, int]]:
        """EnvoyFilter patches that no connected proxy's configuration matches: (object, index)."""
        hits = frozenset[Any]().union(*(view.hits for view in self.hub.views()))
        for filter_ in self.store.state.of("EnvoyFilter", "networking.istio.io"):
            hit = {p.index for p in hits if p.source == filter_.key}
            yield from ((filter_.key, i) for i in range(len(filter_.spec.config_patches)) if i not in hit)

    def _progress(self, connection: Connection) -> None:
        self._progressed.set()
        for proxy, rejection in self.hub.rejections():
            self.events.rejected(proxy, rejection, self.store.state)
