"""`varka serve`: the control plane alone, for any Envoy."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import click

from varka.cli.exits import FAILED, Failure
from varka.cli.manifests import read_mesh_config, report

if TYPE_CHECKING:
    from varka.xds.control_plane import ControlPlane, Options


@click.command()
@click.argument("paths", nargs=-1, metavar="FILE|DIR...")
@click.option("-f", "--filename", "more", multiple=True, metavar="FILE", help="The same as a positional FILE.")
@click.option(
    "--xds", default="127.0.0.1:15010", show_default=True, metavar="HOST:PORT", help="Where proxies connect, in plaintext."
)
@click.option("--mesh-config", metavar="FILE", help="A MeshConfig document, merged over the defaults.")
@click.option("--watch/--no-watch", default=True, show_default=True, help="Apply files when they are saved.")
@click.option("-o", "--output", type=click.Choice(["json"]), help="One event per line on stdout.")
def serve(
    paths: tuple[str, ...], more: tuple[str, ...], xds: str, mesh_config: str | None, watch: bool, output: str | None
) -> None:
    """Serve the manifests to proxies by aggregated discovery, delta and state of the world."""
    if not (*paths, *more):
        raise click.UsageError("no manifests given")
    import asyncio

    import uvloop

    from varka.base.settings import Settings
    from varka.store.state import State
    from varka.xds.control_plane import Options

    config = read_mesh_config(mesh_config, State())
    options = Options((*paths, *more), (xds,), config, Settings.from_environment(os.environ), watch)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(options, xds, output == "json"))
    except RuntimeError as error:
        raise Failure(f"{xds} can't be listened on: {error}", code=FAILED, hint="choose another address with --xds") from None


async def _run(options: Options, address: str, as_json: bool) -> None:
    import asyncio
    import signal

    from varka.xds.control_plane import ControlPlane

    plane = ControlPlane(options)
    await plane.start()
    for diagnostics in plane.files.diagnostics.values():
        report(diagnostics)
    if as_json:
        print(json.dumps({"event": "ready", "xds": address, "pid": os.getpid()}), flush=True)
    else:
        click.echo(f"serving {len(plane.store.state.resources)} objects on {address}", err=True)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(_print_events(plane, as_json))]
        if options.watch:
            running.append(tasks.create_task(plane.watch()))
        await stop.wait()
        for task in running:
            task.cancel()
    await plane.stop()


async def _print_events(plane: ControlPlane, as_json: bool) -> None:
    async for event in plane.events.follow():
        if as_json:
            print(json.dumps(event), flush=True)
