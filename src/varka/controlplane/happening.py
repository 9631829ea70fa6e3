"""What the control plane reacts to, as values in one queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from msgspec import Struct

from varka.base.names import ObjectKey
from varka.controlplane.pushes import Outcome, Push
from varka.store.source import Source, SourceChange
from varka.store.store import Change
from varka.xds import events as xds

PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before a source that failed is asked again."""


class Taken(Struct, frozen=True, eq=False):
    """A change is in the state, and on its way to the proxies: `outcome` is what becomes of it,
    None when nothing changed."""

    change: Change
    outcome: asyncio.Future[Outcome] | None


class Observed(Struct, frozen=True, eq=False):
    """A source changed. A request that brings the change waits for it to be `taken`."""

    source: str
    change: SourceChange
    taken: asyncio.Future[Taken] | None = None


class Deletion(Struct, frozen=True, eq=False):
    """A request deletes objects, whoever wrote them."""

    keys: tuple[ObjectKey, ...]
    taken: asyncio.Future[Taken] | None = None


class PushDue(Struct, frozen=True):
    """The changes of a push are gathered."""

    push: Push


Happening = xds.Event | Observed | Deletion | PushDue


async def follow(
    source: Source, changes: AsyncIterator[SourceChange], queue: asyncio.Queue[Happening]
) -> None:
    """Put what a source goes on to tell into the queue. One that fails begins anew after a
    pause."""
    pause = PAUSE
    while True:
        try:
            async for change in changes:
                queue.put_nowait(Observed(source.name, change))
                pause = PAUSE
            return
        except Exception as error:
            queue.put_nowait(xds.Failed(error, f"following {source.name}"))
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
        changes = source.changes()
