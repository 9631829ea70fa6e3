"""Folders whose files are watched."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchfiles._rust_notify import RustNotify

_DEBOUNCE_MS = 10
"""An editor's write and rename, or a checkout of many files, is one change."""
_TURN_MS = 60_000
_POLL_MS = 300
"""Where the machine has no events for files."""


class Watcher:
    """Notes what is saved from the moment it is made to the end of its `with` block: in folders
    with all below them, and in the folders `beside` without. Raises OSError when the machine
    watches no more folders."""

    def __init__(self, folders: Iterable[Path], beside: Iterable[Path] = ()) -> None:
        from watchfiles._rust_notify import RustNotify

        groups = (([*map(str, folders)], True), ([*map(str, beside)], False))
        self._groups = [
            RustNotify(roots, False, False, _POLL_MS, recursive, True)
            for roots, recursive in groups
            if roots
        ]
        self._closed = threading.Event()

    def __enter__(self) -> Watcher:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()

    async def saved(self) -> AsyncIterator[set[str]]:
        """Resolved paths of what came, changed or went, in batches."""
        queue: asyncio.Queue[set[str] | Exception] = asyncio.Queue()
        tasks = [asyncio.create_task(self._forward(group, queue)) for group in self._groups]
        try:
            while tasks:
                batch = await queue.get()
                if isinstance(batch, Exception):
                    raise batch
                yield batch
        finally:
            for task in tasks:
                task.cancel()

    async def _forward(self, group: RustNotify, queue: asyncio.Queue[set[str] | Exception]) -> None:
        watch = partial(group.watch, _DEBOUNCE_MS, _DEBOUNCE_MS, _TURN_MS, self._closed)
        try:
            while (batch := await asyncio.to_thread(watch)) != "stop":
                if isinstance(batch, set):
                    queue.put_nowait({str(Path(path).resolve()) for _, path in batch})
        except Exception as error:
            queue.put_nowait(error)
