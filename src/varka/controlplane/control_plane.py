"""The control plane: objects in, views out, one event loop. Composes store, compiler, hub and
server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Iterable, Iterator

from varka.base.diagnostic import Diagnostic
from varka.base.names import ObjectKey
from varka.controlplane.conditions import Conditions
from varka.controlplane.events import Events
from varka.controlplane.happening import Deletion, Happening, Observed, PushDue, Taken, follow
from varka.controlplane.options import Options
from varka.controlplane.pushes import Outcome, Push, Pushes
from varka.controlplane.review import Review, Reviewer
from varka.envoy.compiler import Compiler
from varka.envoy.filters.apply import Rejected
from varka.mesh.config import mesh_config_of
from varka.proxy.node import Proxy
from varka.resources.codes import GENERAL
from varka.store.source import SourceChange
from varka.store.store import Change, Store
from varka.xds import events as xds
from varka.xds.hub import Hub
from varka.xds.server import AdsServer

logger = logging.getLogger(__name__)

APPLY, RUNTIME = "apply", "runtime"
"""The owners of what HTTP requests bring: `varka apply`, the embedded runtime."""
GATHER = 0.005
"""Seconds to wait for further changes after the first one."""


class ControlPlane:
    """`read` its sources, `listen` to proxies, `run` until cancelled, `stop`.

    What happens on streams, in sources and by requests comes through one queue to one task
    (`_consume`), which alone changes the state, moves the compiler, publishes, and looks for
    findings.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self.store = Store(options.births)
        self._sources = options.sources()
        self._changes: list[AsyncIterator[SourceChange]] = []
        """The rest of each source's changes, once `read` has taken the first."""
        self.events = Events()
        self.compiler = Compiler(options.config, options.settings)
        self._happening: asyncio.Queue[Happening] = asyncio.Queue()
        self.hub = Hub(self.compiler, self._happening)
        self.server = AdsServer(self.hub)
        self.conditions = Conditions()
        sinks = (self.conditions,)
        self.reviewer = Reviewer(self.hub, options.settings, options.admit, sinks)
        self.addresses = options.listen
        self._pushes = Pushes()
        self._next: Push | None = None
        """Gathers changes."""
        self._reported = asyncio.Event()
        """The runtime's first report is in the views."""

    async def read(self) -> None:
        """Read all sources. Raises OSError for one that can't be read at all."""
        for source in self._sources:
            self._changes.append(changes := source.changes())
            async for change in changes:
                self.store.take(source.name, change)
                break
        self._admit()
        if failed := self._compile():
            self._failed(failed)

    async def listen(self) -> None:
        """Serve proxies. Raises CannotListen."""
        for address in self._options.listen:
            await self.server.listen(address)

    async def first_report(self, seconds: float) -> None:
        """Wait, not for ever, until the runtime has said which pods there are: proxies that come
        back to a control plane that was started again must not be sent a mesh without pods."""
        try:
            await asyncio.wait_for(self._reported.wait(), seconds)
        except TimeoutError:
            logger.warning("the runtime reports no pods: proxies are served without")

    async def stop(self) -> None:
        await self.server.stop()

    async def run(self) -> None:
        """Push what is written, follow the sources; until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._consume())
            for source, changes in zip(self._sources, self._changes, strict=True):
                tasks.create_task(follow(source, changes, self._happening))

    async def bring(self, source: str, change: SourceChange) -> Taken:
        """What a request brings, in its turn. Raises what goes wrong when it is taken."""
        taken: asyncio.Future[Taken] = asyncio.get_running_loop().create_future()
        self._happening.put_nowait(Observed(source, change, taken))
        return await taken

    async def delete(self, keys: Iterable[ObjectKey]) -> Taken:
        """Drop objects, whoever wrote them, in its turn."""
        taken: asyncio.Future[Taken] = asyncio.get_running_loop().create_future()
        self._happening.put_nowait(Deletion(tuple(keys), taken))
        return await taken

    def _push(
        self, keys: Iterable[ObjectKey], files: Iterable[str] = ()
    ) -> asyncio.Future[Outcome]:
        """Bring changed objects to the proxies soon; what becomes of it, when every proxy has
        answered."""
        if self._next is None:
            loop = asyncio.get_running_loop()
            self._next = Push(loop.create_future())
            loop.call_later(GATHER, self._happening.put_nowait, PushDue(self._next))
        self._next.add(keys, files)
        return self._next.outcome

    def _changed(self, change: Change) -> None:
        """Keep and complete what was written, which stays written whatever goes wrong here. Where
        nothing changed, an object may still have another owner now."""
        if change and self._options.journal:
            try:
                self._options.journal.note(
                    [(key, self.store.written(APPLY, key)) for key in change.keys]
                )
            except OSError as error:
                self._failed(xds.Failed(error, "keeping what was applied"))
        if keys := dict.fromkeys((*change.keys, *self._admit())):
            self.events.changed(keys, self.store.state.number)

    def _admit(self) -> Collection[ObjectKey]:
        try:
            return self._options.admit(self.store) if self._options.admit is not None else ()
        except Exception as error:
            self._failed(xds.Failed(error, "admitting objects"))
            return ()

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What is wrong with the newest content of all sources."""
        return tuple(_particular(d for source in self._sources for d in source.diagnostics))

    async def _consume(self) -> None:
        """The one task that reacts. What goes wrong with one happening leaves the others alone."""
        while True:
            happening = await self._happening.get()
            try:
                self._take(happening)
            except Exception as error:
                self._failed(xds.Failed(error, f"taking {type(happening).__name__}"))
                if isinstance(happening, Observed | Deletion) and happening.taken is not None:
                    happening.taken.set_exception(error)

    def _take(self, happening: Happening) -> None:
        match happening:
            case Observed():
                self._observe(happening)
            case Deletion(keys, taken):
                self._taken(self.store.delete(keys), taken)
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

    def _observe(self, observed: Observed) -> None:
        change = observed.change
        diagnostics = tuple(_particular(change.diagnostics))
        for diagnostic in diagnostics:
            logger.info("%s: %s", diagnostic.origin, diagnostic.message)
        self.events.diagnosed(change.files, diagnostics)
        written = self.store.take(observed.source, change)
        outcome = self._taken(written, observed.taken, change.files)
        if observed.source == RUNTIME and not self._reported.is_set():
            if outcome is None:
                self._reported.set()
            else:
                outcome.add_done_callback(lambda _: self._reported.set())

    def _taken(
        self, change: Change, taken: asyncio.Future[Taken] | None, files: Iterable[str] = ()
    ) -> asyncio.Future[Outcome] | None:
        """What follows a write to the state: bring it to the proxies, and tell who waits."""
        self._changed(change)
        outcome = self._push(change.keys, files) if change else None
        if taken is not None and not taken.done():
            taken.set_result(Taken(change, outcome))
        return outcome

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
        """Every proxy has answered: look for what is wrong with the objects, and tell who waits."""
        try:
            review = self.reviewer.review(self.store.state, push.keys)
        except Exception as error:
            push.failures.append(self._failed(xds.Failed(error, "looking for findings")))
            review = Review()
        outcome = push.result(self.hub.responses.sent_bytes, review.findings)
        if not push.outcome.done():
            push.outcome.set_result(outcome)
        if outcome.keys:
            sent = sum(outcome.bytes_sent.values())
            self.events.applied(outcome.files, outcome.keys, outcome.took_ms, outcome.acked, sent)
        self.events.diagnosed(outcome.files, dict.fromkeys((*review.findings, *review.news)))

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
            self._push(())

    def findings(self, about: Collection[ObjectKey] | None = None) -> list[Diagnostic]:
        """What is wrong with objects (all, or these) beyond their form, by now."""
        return self.reviewer.findings(self.store.state, about)


def _particular(diagnostics: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """Without what is said of every object of a kind: whoever runs it knows."""
    return (d for d in diagnostics if d.code not in GENERAL)
