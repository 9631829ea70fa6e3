"""From a fresh process to a supervisor with a control plane and a node.

Both are forks: they start with what is loaded already and share its memory. The control plane takes
longest, so it is forked first, and what only the supervisor needs is loaded after that.
"""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import sys
import traceback
from typing import NoReturn

from msgspec.structs import replace

from varka.local.supervisor.forks import report, start_control_plane, start_preview
from varka.local.supervisor.options import MeshOptions
from varka.local.system import kernel, sandbox
from varka.local.system.sandbox import Sandbox


def run(options: MeshOptions) -> NoReturn:
    """Become the supervisor of a mesh; call it in a fresh process that has one thread (see
    `launch`)."""
    code = 1
    try:
        kernel.set_process_name("varka-mesh")
        options = _with_journal(options)
        _load_what_both_need()
        control_plane = start_control_plane(options)
        code = _supervise(options, control_plane, start_preview(options))
    except kernel.NotPermitted as error:
        report(options.started, {"error": str(error), "hint": error.hint, "code": 77})
    except BaseException as error:
        traceback.print_exc()
        hint = f"see {options.paths.state / 'supervisor.log'}"
        report(options.started, {"error": str(error), "hint": hint, "code": 1})
    finally:
        sys.stderr.flush()
        os._exit(code)


def _with_journal(options: MeshOptions) -> MeshOptions:
    """Applied objects outlive the control plane in memory of the supervisor's: private keys do not
    touch the disk."""
    journal = f"/proc/{os.getpid()}/fd/{os.memfd_create('varka-journal')}"
    return replace(options, control_plane=[*options.control_plane, "--journal", journal])


def _load_what_both_need() -> None:
    """The models of objects, for the control plane and the node."""
    gc.disable()
    import varka.local.workload.cluster  # noqa: F401

    gc.freeze()
    gc.enable()


def _supervise(options: MeshOptions, control_plane: int, preview: int) -> int:
    from varka.local.processes.channel import pair

    ours, theirs = pair()
    inside = _start_inside(options, ours, theirs, preview)
    from varka.local.supervisor.supervisor import Supervisor

    async def supervise() -> int:
        return await Supervisor(options, control_plane, inside, ours).run()

    return asyncio.run(supervise())


def _start_inside(
    options: MeshOptions, ours: socket.socket, theirs: socket.socket, preview: int
) -> Sandbox:
    from varka.local.dns.upstreams import open_upstreams

    upstreams = open_upstreams()

    def main() -> int:
        gc.disable()  # until the node runs
        from varka.local.node import node

        ours.close()
        paths = options.paths
        inside = node.NodeConfig(
            paths.sockets,
            paths.state / "logs",
            paths.ads,
            paths.api,
            options.images,
            options.publish,
            upstreams,
            dict(os.environ),
            preview,
        )
        return node.main(inside, theirs)

    started = sandbox.start(main)
    theirs.close()
    os.close(preview)
    for upstream in upstreams:
        upstream.close()
    return started
