"""Run something inside a pod: its network, its names, its processes' view."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from varka.local.system import kernel

_NAMESPACES = (
    ("user", kernel.CLONE_NEWUSER),
    ("pid", kernel.CLONE_NEWPID),
    ("net", kernel.CLONE_NEWNET),
    ("uts", kernel.CLONE_NEWUTS),
    ("mnt", kernel.CLONE_NEWNS),
)
"""In the order in which they must be entered: the user namespace gives the right to the rest."""


def run(init: int, pod: Mapping[str, Any], argv: Sequence[str]) -> int:
    """Run a command on this terminal and return its exit code, 128 and more for a signal as shells
    do. `init` is the mesh's process 1, `pod` what its status says of the pod. Raises OSError when
    the pod or the program is not there."""
    with _Entrance(init, pod) as entrance, _failing_as_oserror():
        process = subprocess.Popen(argv, preexec_fn=entrance.enter)  # noqa: PLW1509 (one thread)
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    return process.wait()


def capture(
    init: int, pod: Mapping[str, Any], argv: Sequence[str], stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command and keep its output. Raises OSError when the pod or the program is not
    there."""
    with _Entrance(init, pod) as entrance, _failing_as_oserror():
        return subprocess.run(
            argv, input=stdin, text=True, capture_output=True, preexec_fn=entrance.enter
        )


@contextlib.contextmanager
def _failing_as_oserror() -> Iterator[None]:
    try:
        yield
    except subprocess.SubprocessError as error:
        raise OSError(errno.EPERM, "the pod's namespaces can't be entered") from error


class _Entrance:
    """A pod's namespaces, held open until a child has entered them. A pod in the network of its
    node has the node's."""

    def __init__(self, init: int, pod: Mapping[str, Any]) -> None:
        inside: Mapping[str, int] | None = pod["namespaces"]
        if inside is None:
            raise OSError(errno.EAGAIN, "it is still being started")
        self._opened = [
            (
                os.open(
                    f"/proc/{init}/fd/{inside[kind]}"
                    if kind in inside
                    else f"/proc/{init}/ns/{kind}",
                    os.O_RDONLY,
                ),
                flag,
            )
            for kind, flag in _NAMESPACES
            if kind != "uts" or kind in inside
        ]

    def __enter__(self) -> _Entrance:
        return self

    def __exit__(self, *_: object) -> None:
        for fd, _flag in self._opened:
            os.close(fd)

    def enter(self) -> None:
        """For `preexec_fn`. Only children of who entered a pid namespace are in it: so the child
        forks again, and waits."""
        directory = os.getcwd()
        for fd, flag in self._opened:
            kernel.setns(fd, flag)
        try:
            os.chdir(directory)
        except OSError:
            os.chdir("/")
        inner = os.fork()
        if inner:
            _wait_for(inner)
        kernel.die_with_parent()


def _wait_for(child: int) -> None:
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    os.closerange(0, 1024)
    code = 126
    with contextlib.suppress(ChildProcessError):
        _, status = os.waitpid(child, 0)
        ended = os.waitstatus_to_exitcode(status)
        code = 128 - ended if ended < 0 else ended
    os._exit(code)
