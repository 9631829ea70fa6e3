"""Processes of pods: started inside a pod's namespaces, waited for by process 1, their output kept
in files."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from varka.local.system import kernel

if TYPE_CHECKING:
    from varka.local.network.podspace import PodSpace


_FILES = 1024


class Program(Struct, frozen=True):
    """`argv` is looked up in `env`'s PATH; `log` gets both outputs. With `function` that runs in a
    fork instead of a program: it shares the memory of what is already loaded."""

    log: Path
    argv: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    directory: str = ""
    function: Callable[[], int] | None = None


class Reaper:
    """Tells who waits for a child that it ended; buries orphans, as process 1 must."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._waiting: dict[int, asyncio.Future[int]] = {}
        self._loop = loop
        loop.add_signal_handler(signal.SIGCHLD, self._bury)

    def watch(self, pid: int) -> asyncio.Future[int]:
        """The exit code of a child just started, negative for a signal; must be called before the
        loop runs again."""
        ended: asyncio.Future[int] = self._loop.create_future()
        self._waiting[pid] = ended
        return ended

    def _bury(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            ended = self._waiting.pop(pid, None)
            if ended is not None and not ended.done():
                ended.set_result(os.waitstatus_to_exitcode(status))


def spawn(program: Program, space: PodSpace | None, *, bound: bool = False) -> int:
    """Start it in `space` (None: here) and return its pid; `bound` ones die with this process. What
    goes wrong in the child is written to its log, exit code 127."""
    program.log.parent.mkdir(parents=True, exist_ok=True)
    output = os.open(program.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    pid = os.fork()
    if pid:
        os.close(output)
        return pid
    code = 127
    try:
        if bound:
            kernel.die_with_parent()
        _prepare(output, space)
        if program.function is not None:
            code = program.function()
        else:
            os.chdir(program.directory or "/")
            os.execvpe(program.argv[0], list(program.argv), dict(program.env))
    except OSError as error:
        os.write(2, f"varka: {' '.join(program.argv) or 'stand-in'}: {error.strerror}\n".encode())
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _prepare(output: int, space: PodSpace | None) -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.setsid()
    if space is not None:
        space.enter()
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.closerange(3, _FILES)


def terminate(pid: int, number: int = signal.SIGTERM) -> None:
    """Signal the whole session that `spawn` opened for the program."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def last_lines(log: Path, count: int = 5) -> list[str]:
    """The end of a log: why something died."""
    try:
        with log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 8192))
            return file.read().decode(errors="replace").splitlines()[-count:]
    except OSError:
        return []


def name_process(name: str) -> None:
    kernel.set_process_name(name)
