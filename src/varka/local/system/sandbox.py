"""The mesh's own corner of the kernel: one user, pid, mount and network namespace that die with
their maker."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from msgspec import Struct

from varka.local.system import kernel

_NAMESPACES = kernel.CLONE_NEWUSER | kernel.CLONE_NEWPID | kernel.CLONE_NEWNS | kernel.CLONE_NEWNET


class Sandbox(Struct, frozen=True):
    """`launcher` is our child and waits for `init`, which is process 1 inside. Killing `init` ends
    every process inside; the kernel kills the launcher when we die and `init` when the launcher
    dies."""

    launcher: int
    init: int

    def kill(self) -> None:
        """End everything inside and return when it has ended."""
        for pid in (self.init, self.launcher):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        try:
            os.waitpid(self.launcher, 0)
        except ChildProcessError:
            return


def start(main: Callable[[], int], keep: tuple[int, ...] = ()) -> Sandbox:
    """Run `main` as process 1 of a new sandbox. `keep` are descriptors that only the inside may
    hold: they are closed here.

    Must be called while this process has one thread. Raises `kernel.NotPermitted`.
    """
    read_end, write_end = os.pipe()
    launcher = os.fork()
    if launcher == 0:
        os.close(read_end)
        _launch(main, write_end)
    os.close(write_end)
    for fd in keep:
        os.close(fd)
    with os.fdopen(read_end) as answers:
        answer = answers.readline().split(maxsplit=1)
    if not answer or answer[0] == "error":
        os.waitpid(launcher, 0)
        code = int(answer[1]) if answer else 0
        raise kernel.why_forbidden(OSError(code, os.strerror(code)))
    return Sandbox(launcher, int(answer[0]))


def _launch(main: Callable[[], int], answers: int) -> NoReturn:
    """Make the namespaces and process 1, tell its pid as the outside sees it, wait for it."""
    try:
        kernel.die_with_parent()
        uid, gid = os.getuid(), os.getgid()
        kernel.unshare(_NAMESPACES)
        _map_ids(uid, gid)
        init = os.fork()
    except OSError as error:
        os.write(answers, b"error %d\n" % (error.errno or 0))
        os._exit(1)
    if init == 0:
        os.close(answers)
        _become_init(main)
    os.write(answers, b"%d\n" % init)
    os.close(answers)
    kernel.set_process_name("varka-launcher")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _, status = os.waitpid(init, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def _map_ids(uid: int, gid: int) -> None:
    """Whoever we are outside, inside we are root, alone: all that a process without privileges may
    map."""
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
    Path("/proc/self/gid_map").write_text(f"0 {gid} 1")


def _become_init(main: Callable[[], int]) -> NoReturn:
    code = 1
    try:
        kernel.die_with_parent()
        kernel.let_owner_look()
        kernel.mount("none", "/", "none", kernel.MS_REC | kernel.MS_PRIVATE)
        with suppress(OSError):  # a container that hides parts of /proc: the outer one stays
            kernel.mount(
                "proc", "/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
            )
        code = main()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)
