"""The live status of `varka up` without -d."""

from __future__ import annotations

import asyncio
import json
import signal
from typing import Any

import click

from varka.cli.events import line
from varka.cli.exits import OK
from varka.local.processes.unix_http import HttpError, UnixHttp
from varka.local.supervisor import handle
from varka.local.supervisor.paths import MeshPaths

_SHOWN = ("applied", "rejected", "restarted", "failed")
_PAUSE = 0.2


def follow(mesh: MeshPaths, output: str) -> int:
    """Print what happens until Ctrl-C or SIGTERM, then end the mesh; ends too when the mesh
    does."""
    if output != "json":
        click.echo("Ctrl-C ends it", err=True)
    asyncio.run(_follow(mesh, output))
    handle.stop(mesh)
    return OK


async def _follow(mesh: MeshPaths, output: str) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(_print_events(mesh, output))
        stopping = tasks.create_task(stop.wait())
        await asyncio.wait([printing, stopping], return_when=asyncio.FIRST_COMPLETED)
        printing.cancel()
        stopping.cancel()


async def _print_events(mesh: MeshPaths, output: str) -> None:
    """The events of the mesh; a control plane that is started again begins a new list."""
    since = await _newest(mesh)
    while handle.supervisor_pid(mesh):
        try:
            async for event in UnixHttp(mesh.api).lines(f"/events?follow=1&since={since}"):
                since = event.get("seq", since)
                if event.get("event") in _SHOWN:
                    click.echo(json.dumps(event) if output == "json" else _line(event))
        except (OSError, EOFError, ValueError, HttpError):
            since = 0
        await asyncio.sleep(_PAUSE)


async def _newest(mesh: MeshPaths) -> int:
    try:
        return max([event["seq"] async for event in UnixHttp(mesh.api).lines("/events")], default=0)
    except (OSError, EOFError, ValueError, HttpError, KeyError):
        return 0


def _line(event: dict[str, Any]) -> str:
    match event["event"]:
        case "applied":
            files = ", ".join(event.get("files") or ())
            return (
                f"applied {files}: {len(event.get('objects') or ())} objects,"
                f" {event.get('took_ms', 0):.0f} ms"
            )
        case "restarted":
            last = (event.get("log") or [""])[-1]
            return (
                f"{event.get('role')} {event.get('pod', '')} started again (pid {event.get('pid')})"
                f" {last}".rstrip()
            )
        case "failed":
            return f"{event.get('pod')}: {event.get('message')}"
        case "rejected":
            return line(event)
        case _:
            return json.dumps(
                {key: value for key, value in event.items() if key not in ("seq", "time")}
            )
