"""Pushes as values: changes that come together are one push, and each push knows when everybody
has it. No IO, no clock that runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from varka.base.diagnostic import Diagnostic
from varka.base.names import ObjectKey
from varka.envoy.resource import TypeUrl
from varka.proxy.node import Proxy
from varka.xds.events import Answered, Disconnected, Event, InSync, Rejection
from varka.xds.hub import Connection, Publication

SHORT = {
    TypeUrl.CLUSTER: "cds",
    TypeUrl.ENDPOINTS: "eds",
    TypeUrl.LISTENER: "lds",
    TypeUrl.ROUTE: "rds",
    TypeUrl.VIRTUAL_HOST: "vhds",
    TypeUrl.SECRET: "sds",
    TypeUrl.EXTENSION: "ecds",
}


class Outcome(Struct, frozen=True):
    """A push that every proxy answered. `updated` proxies got another view; `rejections` are
    theirs."""

    keys: tuple[ObjectKey, ...]
    files: tuple[str, ...]
    updated: int
    rejections: tuple[tuple[Proxy, Rejection], ...]
    bytes_sent: dict[str, int]
    took_ms: float
    findings: tuple[Diagnostic, ...] = ()
    """What is wrong with the objects, as the proxies show it by now."""
    failures: tuple[str, ...] = ()
    """Bugs of ours that kept something of the change from the proxies."""

    @property
    def acked(self) -> int:
        return self.updated - len({id(proxy) for proxy, _ in self.rejections})


class Push(Struct, eq=False):
    """One that gathers changes, then is on its way, then has an outcome."""

    outcome: asyncio.Future[Outcome]
    started: float = field(default_factory=time.monotonic)
    keys: dict[ObjectKey, None] = field(default_factory=dict)
    files: dict[str, None] = field(default_factory=dict)
    sent_before: Mapping[TypeUrl, int] = field(default_factory=dict)
    number: int = 0
    """The publication."""
    updated: int = 0
    waiting: set[Connection] = field(default_factory=set)
    rejections: list[tuple[Proxy, Rejection]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def add(self, keys: Iterable[ObjectKey], files: Iterable[str]) -> None:
        self.keys.update(dict.fromkeys(keys))
        self.files.update(dict.fromkeys(files))

    def publish(self, publication: Publication) -> None:
        """It is on its way to these proxies."""
        self.number, self.waiting = publication.number, set(publication.changed)
        self.updated = len(self.waiting)

    def result(self, sent: Mapping[TypeUrl, int], findings: tuple[Diagnostic, ...]) -> Outcome:
        """What became of it; `sent` are the bytes by now."""
        bytes_sent = {
            short: sent.get(type_, 0) - self.sent_before.get(type_, 0)
            for type_, short in SHORT.items()
        }
        return Outcome(
            tuple(self.keys),
            tuple(self.files),
            self.updated,
            tuple(self.rejections),
            bytes_sent,
            round((time.monotonic() - self.started) * 1000, 1),
            findings,
            tuple(self.failures),
        )


class Pushes:
    """The pushes on their way: events go in, pushes that every proxy has answered come out."""

    def __init__(self) -> None:
        self._open: list[Push] = []

    def open(self, push: Push) -> bool:
        """Wait for its proxies; False when there are none."""
        if push.waiting:
            self._open.append(push)
        return bool(push.waiting)

    def take(self, event: Event) -> list[Push]:
        """The pushes that are over with this event. An event of an earlier publication says nothing
        of a later push."""
        match event:
            case Answered(connection, number, answers) if self._open:
                rejections = [
                    (connection.proxy, answer)
                    for answer in answers
                    if isinstance(answer, Rejection)
                ]
                for push in self._open if rejections else ():
                    if push.number <= number and connection in push.waiting:
                        push.rejections += rejections
            case InSync(connection, number) if self._open:
                return self._answered(connection, number)
            case Disconnected(connection) if self._open:
                return self._answered(connection, self._open[-1].number)
        return []

    def _answered(self, connection: Connection, number: int) -> list[Push]:
        over = []
        for push in self._open:
            if push.number <= number and connection in push.waiting:
                push.waiting.discard(connection)
                if not push.waiting:
                    over.append(push)
        if over:
            self._open = [push for push in self._open if push.waiting]
        return over
