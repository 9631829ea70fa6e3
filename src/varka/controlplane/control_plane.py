"""The control plane: objects in, views out, one event loop. Composes store, compiler, hub and
server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from varka.analyze.findings import findings, placed
from varka.analyze.secret_users import name_users
from varka.base.diagnostic import Diagnostic
from varka.base.names import ObjectKey
from varka.base.settings import Settings
from varka.controlplane.conditions import Conditions, conditions
from varka.controlplane.events import Events
from varka.controlplane.pushes import Outcome, Push, Pushes
from varka.controlplane.quarantine import standing
from varka.envoy.compiler import Compiler
from varka.envoy.filters.apply import Rejected
from varka.mesh.config import mesh_config_of
from varka.proxy.node import Proxy
from varka.resources.codes import GENERAL
from varka.resources.model.mesh import MeshConfig
from varka.store.files import Files
from varka.store.journal import Journal
from varka.store.meshfile import MeshConfigFile
from varka.store.source import Source, SourceChange
from varka.store.state import State
from varka.store.store import Births, Change, Store
from varka.xds import events as xds
from varka.xds.hub import Hub
from varka.xds.server import AdsServer

logger = logging.getLogger(__name__)

APPLY, RUNTIME = "apply", "runtime"
"""What HTTP requests bring."""
_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
"""Seconds before a source that failed is read again."""


class Admit(Protocol):
    """What an API server does to objects before anyone sees them."""

    def __call__(self, store: Store) -> Collection[ObjectKey]:
        """Assign addresses, add namespaces; what it added, changed or removed on its own
        account."""

    def findings(
        self, state: State, about: Collection[ObjectKey] | None = None
    ) -> Sequence[Diagnostic]:
        """What will not be done with objects (all, or these) although they are accepted."""


GATHER = 0.005
"""Seconds to wait for further changes after the first one."""


class Observed(Struct, frozen=True):
    """A source changed."""

    source: str
    change: SourceChange


class PushDue(Struct, frozen=True):
    """The changes of a push are gathered."""

    push: Push


Happening = xds.Event | Observed | PushDue


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


class ControlPlane:
    """`start` it, `run` it, `stop` it. A write changes the state at once; `push` tells when every
    proxy has it.

    What happens on streams and in sources comes through one queue to one task (`_consume`), which
    alone moves the compiler, publishes, and looks for findings.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self.store = Store(options.births)
        self._sources = _sources(options)
        self._changes: list[AsyncIterator[SourceChange]] = []
        """Of each source, once `start` has taken the first."""
        self.events = Events()
        self.conditions = Conditions()
        self.compiler = Compiler(options.config, options.settings)
        self._happening: asyncio.Queue[Happening] = asyncio.Queue()
        self.hub = Hub(self.compiler, self._happening)
        self.server = AdsServer(self.hub)
        self.addresses = options.listen
        self._pushes = Pushes()
        self._next: Push | None = None
        """Gathers changes."""
        self._known_problems = frozenset[Diagnostic]()
        """What could not be made for proxies, as far as events have told it."""

    async def start(self) -> None:
        """Read all sources and serve. Raises OSError for a source that can't be read at all,
        RuntimeError for an address that can't be bound."""
        for source in self._sources:
            self._changes.append(changes := source.changes())
            async for change in changes:
                self.store.take(source.name, change)
                break
        if self._options.admit is not None:
            self._options.admit(self.store)
        self._compile()
        for address in self._options.listen:
            await self.server.listen(address)

    async def stop(self) -> None:
        await self.server.stop()

    async def run(self) -> None:
        """Push what is written, follow the sources; until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._consume())
            for source, changes in zip(self._sources, self._changes, strict=True):
                tasks.create_task(self._follow(source, changes))

    def take(self, source: str, change: SourceChange) -> Change:
        """Bring a source's change into the state. `push` brings it to the proxies."""
        return self._changed(self.store.take(source, change))

    def delete(self, keys: Iterable[ObjectKey]) -> Change:
        """Drop objects, whoever wrote them."""
        return self._changed(self.store.delete(keys))

    def push(self, keys: Iterable[ObjectKey], files: Iterable[str] = ()) -> asyncio.Future[Outcome]:
        """Bring changed objects to the proxies soon; what becomes of it, when every proxy has
        answered."""
        if self._next is None:
            loop = asyncio.get_running_loop()
            self._next = Push(loop.create_future())
            loop.call_later(GATHER, self._happening.put_nowait, PushDue(self._next))
        self._next.add(keys, files)
        return self._next.outcome

    def _changed(self, change: Change) -> Change:
        """What follows a write to the state, which stays written whatever goes wrong in it. Also
        one that changed nothing may have another owner now."""
        admitted: Collection[ObjectKey] = ()
        try:
            if change and self._options.journal:
                self._options.journal.note(
                    [(key, self.store.written(APPLY, key)) for key in change.keys]
                )
            if self._options.admit is not None:
                admitted = self._options.admit(self.store)
        except Exception as error:
            self._failed(xds.Failed(error, "keeping and completing what changed"))
        if keys := dict.fromkeys((*change.keys, *admitted)):
            self.events.changed(keys, self.store.state.number)
        return change

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Of what all sources have now."""
        return tuple(_particular(d for source in self._sources for d in source.diagnostics))

    async def _follow(self, source: Source, changes: AsyncIterator[SourceChange]) -> None:
        """A source that fails begins anew after a pause."""
        pause = _PAUSE
        while True:
            try:
                async for change in changes:
                    self._happening.put_nowait(Observed(source.name, change))
                    pause = _PAUSE
                return
            except Exception as error:
                self._happening.put_nowait(xds.Failed(error, f"following {source.name}"))
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            changes = source.changes()

    async def _consume(self) -> None:
        """The one task that reacts. What goes wrong with one happening leaves the others alone."""
        while True:
            happening = await self._happening.get()
            try:
                self._take(happening)
            except Exception as error:
                self._failed(xds.Failed(error, f"taking {type(happening).__name__}"))

    def _take(self, happening: Happening) -> None:
        match happening:
            case Observed(source, change):
                self._observe(source, change)
            case PushDue(push):
                self._publish(push)
            case xds.Failed():
                self._failed(happening)
            case _:
                self._note(happening)
                for over in self._pushes.take(happening):
                    self._deliver(over)

    def _note(self, event: xds.Event) -> None:
        match event:
            case xds.Answered(connection, _, answers):
                for answer in answers:
                    match answer:
                        case xds.Accepted(response) if response.patches:
                            self.compiler.accept(response.patches)
                        case xds.Rejection():
                            self._rejected(connection.proxy, answer)
            case xds.Connected(connection):
                logger.info("%s connected", connection.proxy.id)
                self.events.add("connected", proxy=connection.proxy.id)
            case xds.Disconnected(connection):
                logger.info("%s disconnected", connection.proxy.id)
                self.events.add("disconnected", proxy=connection.proxy.id)

    def _observe(self, source: str, change: SourceChange) -> None:
        diagnostics = tuple(_particular(change.diagnostics))
        for diagnostic in diagnostics:
            logger.info("%s: %s", diagnostic.origin, diagnostic.message)
        self.events.diagnosed(change.files, diagnostics)
        if done := self.take(source, change):
            self.push(done.keys, change.files)

    def _compile(self) -> xds.Failed | None:
        """Move the compiler to the newest state; after a bug of ours what is served stays as it
        is."""
        state = self.store.state
        try:
            self.compiler.update(state, mesh_config_of(state) or self._options.config)
        except Exception as error:
            return xds.Failed(error, "compiling the newest state")
        return None

    def _publish(self, push: Push) -> None:
        self._next = None
        push.sent_before = dict(self.hub.responses.sent_bytes)
        failure = self._compile()
        publication = self.hub.publish()
        push.publish(publication)
        for failed in (*((failure,) if failure else ()), *publication.failures):
            push.failures.append(self._failed(failed))
        if not self._pushes.open(push):
            self._deliver(push)

    def _deliver(self, push: Push) -> None:
        """Every proxy has answered: look once for what is wrong with the objects, and tell who
        waits."""
        try:
            findings, news = self._findings_of(push)
        except Exception as error:
            push.failures.append(self._failed(xds.Failed(error, "looking for findings")))
            findings, news = (), ()
        outcome = push.result(self.hub.responses.sent_bytes, findings)
        if not push.outcome.done():
            push.outcome.set_result(outcome)
        if outcome.keys:
            sent = sum(outcome.bytes_sent.values())
            self.events.applied(outcome.files, outcome.keys, outcome.took_ms, outcome.acked, sent)
        self.events.diagnosed(outcome.files, dict.fromkeys((*findings, *news)))

    def _findings_of(self, push: Push) -> tuple[tuple[Diagnostic, ...], tuple[Diagnostic, ...]]:
        """Of the objects that changed what is wrong; of all others what could not be made since the
        last time."""
        problems = self._problems()
        state = self.store.state
        self.conditions.report(conditions((*problems, *standing(self.hub, state)), state))
        findings = tuple(self._findings(problems, push.keys))
        news = tuple(placed(d, state) for d in problems if d not in self._known_problems)
        self._known_problems = frozenset(problems)
        return findings, news

    def _failed(self, failed: xds.Failed) -> str:
        """A bug of ours: to the log with its traceback, to users in one line, which is
        returned."""
        error = failed.error
        message = f"a bug of varka's while {failed.doing}: {type(error).__name__}: {error}"
        logger.error(message, exc_info=error)
        self.events.add("failed", error=message)
        return message

    def _rejected(self, proxy: Proxy, rejection: xds.Rejection) -> None:
        """Patches that no proxy has accepted before are set aside, so that the resource arrives
        without them."""
        logger.warning(
            "%s rejected %s %s: %s",
            proxy.id,
            rejection.resource.type.name,
            rejection.resource.name,
            rejection.error,
        )
        self.events.rejected(proxy, rejection, self.store.state)
        reason = rejection.error.strip()
        if self.compiler.refuse(Rejected(patch, reason) for patch in rejection.resource.patches):
            self.push(())

    def findings(self, about: Collection[ObjectKey] | None = None) -> list[Diagnostic]:
        """What is wrong with objects (all, or these) beyond their form, as the connected proxies
        show it."""
        return self._findings(self._problems(), about)

    def _problems(self) -> dict[Diagnostic, None]:
        """What could not be made for proxies, each once."""
        found = dict.fromkeys(d for view in self.hub.views() for d in view.diagnostics)
        return dict.fromkeys(name_users(found, self.store.state))

    def _findings(
        self, problems: Collection[Diagnostic], about: Collection[ObjectKey] | None
    ) -> list[Diagnostic]:
        labels = (connection.proxy.labels for connection in self.hub.connections)
        state, admit = self.store.state, self._options.admit
        return [
            *findings(state, self.hub.views(), problems, labels, self._options.settings, about),
            *(admit.findings(state, about) if admit is not None else ()),
        ]


def _particular(diagnostics: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """Without what is said of every object of a kind: whoever runs it knows."""
    return (d for d in diagnostics if d.code not in GENERAL)


def _sources(options: Options) -> tuple[Source, ...]:
    """Of one object the last one wins."""
    sources: list[Source] = [Files(options.paths, watch=options.watch)]
    if options.mesh_config:
        sources.append(MeshConfigFile(options.mesh_config, watch=options.watch))
    if options.journal:
        sources.append(options.journal)
    return tuple(sources)
