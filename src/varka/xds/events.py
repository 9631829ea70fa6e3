"""What happened, for `varka events` and the foreground of `varka up`: a numbered list that readers follow."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable
from typing import Any

from varka.base.diagnostic import Diagnostic
from varka.base.names import ObjectKey
from varka.proxy.node import Proxy
from varka.store.state import State
from varka.xds.delta import Rejection

Event = dict[str, Any]
_KEPT = 1000


def object_of(key: ObjectKey) -> dict[str, str]:
    return {"kind": key.kind, "namespace": key.namespace, "name": key.name}


def diagnostic_of(diagnostic: Diagnostic) -> dict[str, Any]:
    """In the shape of `varka validate -o json`."""
    origin = diagnostic.origin
    return {
        "code": str(diagnostic.code),
        "severity": str(diagnostic.severity),
        "message": diagnostic.message,
        "hint": diagnostic.hint,
        "path": diagnostic.path,
        "object": object_of(diagnostic.object) if diagnostic.object else None,
        "file": origin.file if origin else None,
        "line": origin.line if origin else 0,
        "column": origin.column if origin else 0,
    }


class Events:
    """Keeps the newest; belongs to the event loop's thread."""

    def __init__(self) -> None:
        self._number = 0
        self._kept: deque[Event] = deque(maxlen=_KEPT)
        self._more = asyncio.Event()

    def add(self, event: str, **fields: Any) -> None:
        self._number += 1
        self._kept.append({"event": event, "seq": self._number, "time": time.time(), **fields})
        self._more.set()

    def since(self, number: int) -> list[Event]:
        return [event for event in self._kept if event["seq"] > number]

    async def follow(self, number: int = 0) -> AsyncIterator[Event]:
        """Events after a number, then each new one as it comes."""
        while True:
            for event in self.since(number):
                number = event["seq"]
                yield event
            more = self._more
            if not self.since(number):
                more.clear()
                await more.wait()

    def changed(self, keys: Iterable[ObjectKey], number: int) -> None:
        self.add("changed", objects=[object_of(k) for k in keys], number=number)

    def applied(self, files: Iterable[str], keys: Iterable[ObjectKey], took_ms: float, acked: int, sent: int) -> None:
        objects = [object_of(k) for k in keys]
        self.add("applied", files=list(files), objects=objects, took_ms=round(took_ms, 1), acked=acked, bytes_sent=sent)

    def diagnosed(self, files: Iterable[str], diagnostics: Iterable[Diagnostic]) -> None:
        """Findings of files that were read again; nothing when there are none."""
        found = [diagnostic_of(d) for d in diagnostics]
        if found:
            self.add("rejected", files=list(files), diagnostics=found)

    def rejected(self, proxy: Proxy, rejection: Rejection, state: State) -> None:
        """A proxy did not take a resource: which, why, and the objects it was made from, with their places."""
        resource = rejection.resource
        objects = [object_of(k) | {"origin": str(state.origins.get(k, ""))} for k in resource.origins]
        self.add(
            "rejected", proxy=proxy.id, type=resource.type.name, resource=resource.name, error=rejection.error, objects=objects
        )
