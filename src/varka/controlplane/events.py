"""What users are told that happened, for `varka events` and the foreground of `varka up`: a
numbered list that readers follow."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable
from itertools import islice
from typing import Any

from varka.analyze.provenance import made_from
from varka.base.diagnostic import Diagnostic
from varka.base.names import ObjectKey
from varka.base.plain import plain_diagnostic, plain_key
from varka.proxy.node import Proxy
from varka.store.state import State
from varka.xds.events import Rejection

Event = dict[str, Any]
_KEPT = 5000


class Events:
    """Keeps the newest; belongs to the event loop's thread."""

    def __init__(self) -> None:
        self._number = 0
        self._kept: deque[Event] = deque(maxlen=_KEPT)
        self._followers: set[asyncio.Event] = set()

    def add(self, event: str, **fields: Any) -> None:
        self._number += 1
        self._kept.append({"event": event, "seq": self._number, "time": time.time(), **fields})
        for follower in self._followers:
            follower.set()

    def since(self, number: int) -> list[Event]:
        """Those after a number that are still kept."""
        new = max(min(self._number - number, len(self._kept)), 0)
        return list(islice(reversed(self._kept), new))[::-1]

    async def follow(self, number: int = 0) -> AsyncIterator[Event]:
        """Events after a number, then each new one as it comes."""
        more = asyncio.Event()
        self._followers.add(more)
        try:
            while True:
                more.clear()
                for event in self.since(number):
                    number = event["seq"]
                    yield event
                if not self.since(number):
                    await more.wait()
        finally:
            self._followers.discard(more)

    def changed(self, keys: Iterable[ObjectKey], number: int) -> None:
        self.add("changed", objects=[plain_key(k) for k in keys], number=number)

    def applied(
        self, files: Iterable[str], keys: Iterable[ObjectKey], took_ms: float, acked: int, sent: int
    ) -> None:
        objects = [plain_key(k) for k in keys]
        self.add(
            "applied",
            files=list(files),
            objects=objects,
            took_ms=round(took_ms, 1),
            acked=acked,
            bytes_sent=sent,
        )

    def diagnosed(self, files: Iterable[str], diagnostics: Iterable[Diagnostic]) -> None:
        """Findings of files that were read again, or of objects that met the proxies; nothing when
        there are none."""
        found = [plain_diagnostic(d) for d in diagnostics]
        if found:
            self.add("rejected", files=list(files), diagnostics=found)

    def rejected(self, proxy: Proxy, rejection: Rejection, state: State) -> None:
        """A proxy did not take a resource: which, why, and the objects it was made from, with their
        places."""
        resource = rejection.resource
        objects = [
            plain_key(key) | {"origin": str(origin or "")}
            for key, origin in made_from(resource, state)
        ]
        self.add(
            "rejected",
            proxy=proxy.id,
            type=resource.type.name,
            resource=resource.name,
            error=rejection.error,
            objects=objects,
        )
