"""From changes to pushes: changes that come together are one push, and each push knows when
everybody has it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from varka.base.names import ObjectKey
from varka.envoy.resource import TypeUrl
from varka.proxy.node import Proxy
from varka.xds.delta import Rejection
from varka.xds.hub import Connection, Hub

GATHER = 0.005
"""Seconds to wait for further changes after the first one."""
SHORT = {
    TypeUrl.CLUSTER: "cds",
    TypeUrl.ENDPOINTS: "eds",
    TypeUrl.LISTENER: "lds",
    TypeUrl.ROUTE: "rds",
    TypeUrl.VIRTUAL_HOST: "vhds",
    TypeUrl.SECRET: "sds",
    TypeUrl.EXTENSION: "ecds",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """A push that every proxy answered. `updated` proxies got another view; `rejections` are
    theirs."""

    keys: tuple[ObjectKey, ...]
    files: tuple[str, ...]
    updated: int
    rejections: tuple[tuple[Proxy, Rejection], ...]
    bytes_sent: dict[str, int]
    took_ms: float

    @property
    def acked(self) -> int:
        return self.updated - len({id(proxy) for proxy, _ in self.rejections})


@dataclass(eq=False, slots=True)
class Push:
    """One on its way."""

    outcome: asyncio.Future[Outcome]
    started: float = field(default_factory=time.monotonic)
    keys: dict[ObjectKey, None] = field(default_factory=dict)
    files: dict[str, None] = field(default_factory=dict)
    sent_before: dict[TypeUrl, int] = field(default_factory=dict)
    updated: int = 0
    waiting: set[Connection] = field(default_factory=set)
    rejections: list[tuple[Proxy, Rejection]] = field(default_factory=list)


class Pushes:
    """`prepare` moves the compiler to the newest state; `finished` is told each outcome, `rejected`
    each rejection."""

    def __init__(
        self,
        hub: Hub,
        prepare: Callable[[], None],
        finished: Callable[[Outcome], None] = lambda _outcome: None,
        rejected: Callable[[Proxy, Rejection], None] = lambda _proxy, _rejection: None,
    ) -> None:
        self._hub, self._prepare, self._finished, self._rejected = hub, prepare, finished, rejected
        self._next: Push | None = None
        self._due = asyncio.Event()
        self._open: list[Push] = []

    def submit(
        self, keys: Iterable[ObjectKey], files: Iterable[str] = ()
    ) -> asyncio.Future[Outcome]:
        """The state changed: push it soon. The outcome comes when every proxy has answered."""
        if self._next is None:
            self._next = Push(asyncio.get_running_loop().create_future())
        self._next.keys.update(dict.fromkeys(keys))
        self._next.files.update(dict.fromkeys(files))
        self._due.set()
        return self._next.outcome

    async def run(self) -> None:
        while True:
            await self._due.wait()
            await asyncio.sleep(GATHER)
            self._due.clear()
            push, self._next = self._next, None
            if push is not None:
                self._prepare()
                push.sent_before = dict(self._hub.responses.sent_bytes)
                push.waiting = self._hub.publish()
                push.updated = len(push.waiting)
                self._open.append(push)
                self._close(push)

    def progress(self, connection: Connection) -> None:
        """A proxy answered, or left."""
        stream = connection.stream
        told, stream.rejections = stream.rejections, []
        for rejection in told:
            self._rejected(connection.proxy, rejection)
        if not self._open:
            return
        settled = connection not in self._hub.connections or stream.in_sync()
        for push in list(self._open):
            if connection in push.waiting:
                push.rejections += ((connection.proxy, rejection) for rejection in told)
                if settled:
                    push.waiting.discard(connection)
                    self._close(push)

    def _close(self, push: Push) -> None:
        if push.waiting:
            return
        self._open.remove(push)
        sent = self._hub.responses.sent_bytes
        outcome = Outcome(
            tuple(push.keys),
            tuple(push.files),
            push.updated,
            tuple(push.rejections),
            {
                short: sent.get(type_, 0) - push.sent_before.get(type_, 0)
                for type_, short in SHORT.items()
            },
            round((time.monotonic() - push.started) * 1000, 1),
        )
        if not push.outcome.done():
            push.outcome.set_result(outcome)
        self._finished(outcome)
