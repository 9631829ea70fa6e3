"""`varka serve`: the control plane alone, for any Envoy."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from varka.cli.exits import FAILED, UNPARSABLE, Failure
from varka.cli.manifests import report
from varka.cli.output import print_diagnostics

if TYPE_CHECKING:
    from varka.controlplane.events import Events
    from varka.controlplane.options import Options


@click.command()
@click.argument("paths", nargs=-1, metavar="FILE|DIR...")
@click.option(
    "-f", "--filename", "more", multiple=True, metavar="FILE", help="The same as a positional FILE."
)
@click.option(
    "--xds",
    default="127.0.0.1:15010",
    show_default=True,
    metavar="HOST:PORT",
    help="Where proxies connect, in plaintext.",
)
@click.option(
    "--mesh-config", metavar="FILE", help="A MeshConfig document, merged over the defaults."
)
@click.option(
    "--watch/--no-watch", default=True, show_default=True, help="Apply files when they are saved."
)
@click.option(
    "--log-level",
    default="error",
    show_default=True,
    metavar="LEVEL",
    help="Of the log on stderr: debug, info, warn, error, fatal or none.",
)
@click.option(
    "--log_output_level",
    default="",
    metavar="SCOPE:LEVEL,...",
    help="Levels by scope, as Istio's: xds:debug,store:info.",
)
@click.option("-o", "--output", type=click.Choice(["json"]), help="One event per line on stdout.")
def serve(
    paths: tuple[str, ...],
    more: tuple[str, ...],
    xds: str,
    mesh_config: str | None,
    watch: bool,
    log_level: str,
    log_output_level: str,
    output: str | None,
) -> None:
    """Serve the manifests to proxies by aggregated discovery, delta and state of the world."""
    if not (*paths, *more):
        raise click.UsageError("no manifests given")
    if mesh_config and not Path(mesh_config).is_file():
        raise Failure(f"{mesh_config} can't be read: there is no such file", code=UNPARSABLE)
    import asyncio
    import sys

    import uvloop

    from varka.base import logs
    from varka.base.settings import Settings
    from varka.controlplane.options import Options
    from varka.resources.meshconfig import default_mesh_config
    from varka.xds.server import CannotListen

    try:
        logs.configure(logs.levels(log_level, log_output_level), sys.stderr)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    settings = Settings.from_environment(os.environ)
    file = Path(mesh_config) if mesh_config else None
    options = Options(
        (*paths, *more), (xds,), default_mesh_config(), settings, watch, mesh_config=file
    )
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(options, xds, output == "json"))
    except CannotListen as error:
        raise Failure(
            f"can't listen on {error}",
            code=FAILED,
            hint="choose another address with --xds",
        ) from None
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Failure(
            f"the manifests can't be watched: {error}",
            code=FAILED,
            hint="--no-watch reads them once; fs.inotify.max_user_watches may be too small",
        ) from None


async def _run(options: Options, address: str, as_json: bool) -> None:
    import asyncio

    from varka.controlplane.control_plane import ControlPlane
    from varka.controlplane.process import serve

    plane = ControlPlane(options)
    ready = {"event": "ready", "xds": address, "pid": os.getpid()}

    def started() -> None:
        report(plane.diagnostics)
        if as_json:
            _print(ready)
        else:
            click.echo(f"serving {len(plane.store.state.resources)} objects on {address}", err=True)

    serving = asyncio.create_task(serve(plane, started))
    printing = asyncio.create_task(_print_events(plane.events, as_json))
    done, rest = await asyncio.wait((serving, printing), return_when=asyncio.FIRST_COMPLETED)
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    for task in done:
        task.result()


async def _print_events(events: Events, as_json: bool) -> None:
    async for event in events.follow():
        if as_json:
            _print(event)
        else:
            _print_words(event)


def _print(event: dict[str, Any]) -> None:
    print(json.dumps(event), flush=True)


def _print_words(event: dict[str, Any]) -> None:
    """What a person who edits files wants to know."""
    objects = ", ".join(f"{o['kind']} {o['name']}" for o in event.get("objects", ())[:5])
    if event["event"] == "applied":
        click.echo(
            f"applied {objects}: {event['acked']} proxies, {event['bytes_sent']} bytes,"
            f" {event['took_ms']} ms",
            err=True,
        )
    elif event["event"] == "rejected" and "proxy" in event:
        click.echo(
            f"{event['proxy']} rejected {event['type']} {event['resource']} ({objects}):"
            f" {event['error']}",
            err=True,
        )
    elif event["event"] == "rejected":
        print_diagnostics(event["diagnostics"])
    elif event["event"] == "failed":
        click.echo(event["error"], err=True)
