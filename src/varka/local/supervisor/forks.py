"""What is forked beside the supervisor, and its answer to whoever started the mesh."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import sys
import traceback
from collections.abc import Mapping
from typing import Any

from varka.local.processes.process import Program, spawn
from varka.local.supervisor.options import MeshOptions
from varka.local.system import kernel


def report(started: int, line: Mapping[str, Any]) -> None:
    """Answer whoever waits for the mesh."""
    with contextlib.suppress(OSError):
        os.write(started, json.dumps(line).encode() + b"\n")
        os.close(started)


def start_control_plane(options: MeshOptions) -> int:
    """The pid of a control plane that dies with this process."""

    def main() -> int:
        kernel.set_process_name("varka-control")
        gc.disable()  # until it serves: what is loaded now stays
        from varka.local.supervisor import control_plane

        return control_plane.main(options.control_plane)

    log = options.paths.state / "control-plane.log"
    return spawn(Program(log, function=main), None, bound=True)


def start_preview(options: MeshOptions) -> int:
    """Let a process of its own read the manifests for the node; the end of the pipe that they come
    through."""
    receiving, sending = os.pipe()
    if os.fork() == 0:
        try:
            kernel.die_with_parent()
            kernel.set_process_name("varka-preview")
            os.close(receiving)
            gc.disable()  # it ends soon
            from varka.local.supervisor.preview import send_preview

            send_preview(options.manifests, sending)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(0)
    os.close(sending)
    return receiving
