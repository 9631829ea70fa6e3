"""The control plane of a mesh as a process: `python -m varka.controlplane.process --state-dir D
--ads A --api unix:PATH PATH...`."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from varka.base import logs
from varka.base.settings import Settings
from varka.controlplane.control_plane import ControlPlane
from varka.controlplane.options import Admit, Options
from varka.resources.meshconfig import default_mesh_config
from varka.store.journal import Journal
from varka.store.store import Births
from varka.xds.server import CannotListen

if TYPE_CHECKING:
    from varka.controlplane.api import Api

logger = logging.getLogger(__name__)


def main(arguments: Sequence[str], admit: Admit | None = None) -> int:
    """Run until a signal asks to end. What it says goes to its log, which is stderr."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    try:
        logs.configure(logs.levels(asked.log_level, asked.log_output_level), sys.stderr)
    except ValueError as error:
        parser.error(str(error))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(_run(_options(asked, admit), asked.api, asked.await_runtime))
        except (OSError, CannotListen) as error:
            logger.critical("the control plane can't start: %s", error)
            return 1
        except Exception:
            logger.critical("the control plane ends, by a bug of varka's", exc_info=True)
            return 1
    return 0


async def serve(
    plane: ControlPlane,
    ready: Callable[[], None] = lambda: None,
    api: Path | None = None,
    await_runtime: float = 0,
) -> None:
    """Serve until SIGINT or SIGTERM; `ready` is called when proxies can connect. A runtime's first
    report is waited for before that, `await_runtime` seconds at most. Raises OSError for what can't
    be read or watched, CannotListen."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    gc.disable()  # What is read and compiled now stays: there is no garbage to look for.
    await plane.read()
    running = asyncio.create_task(plane.run())
    running.add_done_callback(lambda _: stop.set())
    served = await _serve_api(plane, api) if api else None
    if await_runtime:
        await plane.first_report(await_runtime)
    await plane.listen()
    gc.freeze()
    gc.set_threshold(
        50_000, 20, 50
    )  # Views live long too, and a full collection stops all streams.
    gc.enable()
    ready()
    await stop.wait()
    running.cancel()
    if served:
        await served.stop()
    await plane.stop()
    await asyncio.gather(running, return_exceptions=True)
    if not running.cancelled() and (error := running.exception()):
        raise error


async def _serve_api(plane: ControlPlane, socket: Path) -> Api:
    # Importing aiohttp takes as long as all of ours, and `varka serve` has no API.
    from varka.controlplane.api import Api

    served = Api(plane)
    await served.start(socket)
    return served


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m varka.controlplane.process", description=__doc__
    )
    parser.add_argument("paths", nargs="*", metavar="FILE|DIR")
    parser.add_argument(
        "--state-dir", type=Path, required=True, help="keeps what must survive a restart"
    )
    parser.add_argument(
        "--ads", action="append", required=True, help="HOST:PORT or unix:PATH, may be repeated"
    )
    parser.add_argument("--api", type=lambda text: Path(text.removeprefix("unix:")), required=True)
    parser.add_argument("--mesh-config", type=Path)
    parser.add_argument(
        "--journal", type=Path, help="keeps applied objects; private keys may be among them"
    )
    parser.add_argument("--no-watch", dest="watch", action="store_false")
    parser.add_argument(
        "--await-runtime",
        type=float,
        default=0,
        metavar="SECONDS",
        help="how long a runtime's first report is waited for before proxies are served",
    )
    parser.add_argument("--log-level", default="info", help=", ".join(logs.LEVELS))
    parser.add_argument("--log_output_level", default="", metavar="SCOPE:LEVEL,...")
    return parser


def _options(asked: argparse.Namespace, admit: Admit | None) -> Options:
    asked.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    births = Births(asked.state_dir / "creation-times.json")
    settings = Settings.from_environment(os.environ)
    listen, config = tuple(asked.ads), default_mesh_config()
    journal = Journal(asked.journal) if asked.journal else None
    return Options(
        tuple(asked.paths),
        listen,
        config,
        settings,
        asked.watch,
        births,
        admit,
        asked.mesh_config,
        journal,
    )


async def _run(options: Options, api: Path, await_runtime: float) -> None:
    plane = ControlPlane(options)

    def ready() -> None:
        plane.events.add("ready", xds=list(options.listen), pid=os.getpid())

    await serve(plane, ready, api, await_runtime)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
