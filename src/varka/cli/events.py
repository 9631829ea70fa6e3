"""`varka events`: what happened in a running mesh."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import click

from varka.cli.exits import OK


@click.command()
@click.option("--name", "mesh", metavar="NAME", help="The mesh, when several run.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what happens next.")
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def events(mesh: str | None, follow: bool, output: str) -> int:
    """The newest events, oldest first; with -o json one per line."""
    from varka.cli.client import connect

    for event in connect(mesh).lines("/events?follow=1" if follow else "/events"):
        if event["event"] == "changed":
            continue  # Told again as `applied`, when it matters to somebody.
        click.echo(json.dumps(event) if output == "json" else line(event))
    return OK


def line(event: dict[str, Any]) -> str:
    """An event for people."""
    from varka.cli.output import as_line

    moment = datetime.fromtimestamp(event["time"]).strftime("%H:%M:%S")
    objects = ", ".join(map(_object, event.get("objects", ())[:5]))
    match event["event"]:
        case "applied":
            what = (
                f"{objects}: {event['acked']} proxies after {event['took_ms']} ms,"
                f" {event['bytes_sent']} bytes"
            )
        case "rejected" if "proxy" in event:
            what = (
                f"{event['type']} {event['resource']} by {event['proxy']} ({objects}):"
                f" {event['error']}"
            )
        case "rejected":
            what = "; ".join(map(as_line, event["diagnostics"]))
        case _:
            rest = {k: v for k, v in event.items() if k not in ("event", "seq", "time")}
            what = " ".join(f"{k}={v}" for k, v in rest.items())
    return f"{moment} {event['event']} {what}"


def _object(shown: dict[str, Any]) -> str:
    at = f" at {shown['origin']}" if shown.get("origin") else ""
    return f"{shown['kind']} {shown['namespace']}/{shown['name']}{at}"
