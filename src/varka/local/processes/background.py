"""Background tasks that nobody waits for: owned by a block, and never lost in silence."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, Self

log = logging.getLogger(__name__)

_PAUSE = 1.0


class Background:
    """A task group whose tasks are cancelled when its block ends. A task that fails is logged with
    its traceback and reported, and the others go on. `report` gets what the task was for and the
    error."""

    def __init__(self, report: Callable[[str, Exception], None]) -> None:
        self._report = report
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await self._group.__aexit__(kind, error, traceback)

    def start(self, what: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run it once."""
        return self._create(self._once(what, work))

    def keep(self, what: str, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Run it, and after a pause again whenever it fails."""
        return self._create(self._again(what, work))

    def _create(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _once(self, what: str, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as error:
            self._failed(what, error)

    async def _again(self, what: str, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except Exception as error:
                self._failed(what, error)
                await asyncio.sleep(_PAUSE)
            else:
                return

    def _failed(self, what: str, error: Exception) -> None:
        log.error("%s failed", what, exc_info=error)
        self._report(what, error)
