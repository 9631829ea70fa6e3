"""Start a mesh: fork its supervisor and hear whether it stands."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from varka.local.supervisor.options import Manifests, MeshOptions
from varka.local.supervisor.paths import MeshPaths
from varka.local.supervisor.start import run
from varka.local.system import kernel


class CannotStart(Exception):
    """`code` is the exit code to end with, `hint` the next step."""

    def __init__(self, message: str, hint: str, code: int) -> None:
        super().__init__(message)
        self.hint, self.code = hint, code


def launch(
    paths: MeshPaths,
    control_plane: Sequence[str],
    *,
    manifests: Manifests,
    images: Mapping[str, str],
    publish: Sequence[tuple[int, str, int]],
    attached: bool,
) -> int:
    """Returns once the control socket is there: the pid of the cleaner, the supervisor's parent,
    who ends last. `attached`: the mesh ends when this process does. Raises CannotStart."""
    for folder in (paths.state, paths.sockets):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    answers, started = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        os.close(answers)
        _detach(paths.state / "supervisor.log")
        kernel.adopt_orphans()
        supervisor = os.fork()
        if supervisor == 0:
            run(MeshOptions(paths, control_plane, started, manifests, images, publish))
        os.close(started)
        if attached:
            kernel.die_with_parent(signal.SIGTERM)
            if os.getppid() != parent:
                os.kill(supervisor, signal.SIGTERM)
        _clean_up_after(supervisor, paths.sockets)
    os.close(started)
    with os.fdopen(answers) as lines:
        line = lines.readline()
    answer: dict[str, Any] = (
        json.loads(line)
        if line
        else {"error": "the supervisor died", "hint": _log_of(paths), "code": 1}
    )
    if "error" in answer:
        os.waitpid(pid, 0)
        raise CannotStart(answer["error"], answer["hint"], answer["code"])
    return pid


def _clean_up_after(supervisor: int, sockets: Path) -> NoReturn:
    """Bury the mesh, however it died, and remove its sockets. Asked to end, ask the supervisor."""
    kernel.set_process_name("varka-cleaner")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(supervisor, signal.SIGTERM))
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    shutil.rmtree(sockets, ignore_errors=True)
    os._exit(0)


def _log_of(paths: MeshPaths) -> str:
    return f"see {paths.state / 'supervisor.log'}"


def _detach(log: Path) -> None:
    os.setsid()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.close(output)
    os.close(nothing)
