"""The programs of one pod: each is started again whenever it ends, until it is told to end."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from msgspec import Struct

from varka.local.network.podspace import PodSpace
from varka.local.pod.machine import Machine
from varka.local.processes import process
from varka.local.processes.process import Program

_FIRST_PAUSE, _LONGEST_PAUSE, _GOOD_LIFE = 0.2, 60.0, 30.0
_BACK_OFF_AFTER = 2
_KILL = 9


class Running(Struct):
    """A program of a pod: `role` is `envoy` or `workload`. `pid` is 0 while it does not run, which
    is `waiting` when it has ended so often that the pause is long."""

    role: str
    container: str
    program: Program
    pid: int = 0
    restarts: int = 0
    waiting: bool = False
    exit_code: int | None = None
    ended: asyncio.Future[int] | None = None
    """The exit code of the process that runs now or ran last."""
    task: asyncio.Task[None] | None = None


class Programs:
    """By container. `ended` is set whenever one ends; whoever waits for it clears it."""

    def __init__(self, pod: str, machine: Machine, *, run_once: bool) -> None:
        self._pod, self._machine, self._run_once = pod, machine, run_once
        self.space: PodSpace | None = None
        """Where they run; None is the node itself."""
        self.admin: Path | None = None
        """The socket that an Envoy makes anew each time."""
        self.by_container: dict[str, Running] = {}
        self.ended = asyncio.Event()

    @property
    def not_running(self) -> list[Running]:
        """Those that should run. What runs once and has ended well is not among them."""
        return [
            one
            for one in self.by_container.values()
            if one.pid == 0 and not (self._runs_once(one) and one.exit_code == 0)
        ]

    def _runs_once(self, one: Running) -> bool:
        return self._run_once and one.role == "workload"

    def start(self, one: Running) -> None:
        """Raises OSError when it cannot even be forked."""
        self.by_container[one.container] = one
        self._spawn(one)
        what = f"keeping {one.container} of {self._pod} running"
        one.task = self._machine.background.keep(what, lambda: self._keep(one))

    def end(self, container: str) -> None:
        """Tell one to end, and forget it."""
        self._end(self.by_container.pop(container))

    async def end_all(self, grace: float) -> None:
        """SIGTERM, and SIGKILL for who is still there after the grace period."""
        ending = [one for one in self.by_container.values() if one.pid and one.ended is not None]
        for one in self.by_container.values():
            self._end(one)
        if ending:
            await asyncio.wait([one.ended for one in ending if one.ended], timeout=grace)
        for one in ending:
            if one.ended is not None and not one.ended.done():
                process.terminate(one.pid, _KILL)

    def _end(self, one: Running) -> None:
        if one.task is not None:
            one.task.cancel()
        if one.pid:
            process.terminate(one.pid)

    def _spawn(self, one: Running) -> None:
        if one.role == "envoy" and self.admin is not None:
            self.admin.unlink(missing_ok=True)
        one.pid = process.spawn(one.program, self.space)
        one.ended = self._machine.reaper.watch(one.pid)

    async def _keep(self, one: Running) -> None:
        """Start it again whenever it ends, after a pause that doubles while its lives are short."""
        pause = _FIRST_PAUSE
        while one.ended is not None:
            born = time.monotonic()
            one.exit_code = await asyncio.shield(one.ended)
            one.pid = 0
            if self._runs_once(one):
                self.ended.set()
                self._machine.changed()
                return
            if time.monotonic() - born > _GOOD_LIFE:
                pause = _FIRST_PAUSE
            one.waiting = one.restarts >= _BACK_OFF_AFTER
            self.ended.set()
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            one.restarts, one.waiting = one.restarts + 1, False
            self._spawn(one)
            last = process.last_lines(one.program.log)
            self._machine.restarted(one.role, self._pod, one.pid, last)
