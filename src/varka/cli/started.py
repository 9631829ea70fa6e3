"""What `varka up` says of a mesh that it has started: as a document, and in words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

POD_NOT_STARTED = "P0001"


def say_where(published: Iterable[Mapping[str, Any]]) -> None:
    """Name the ports that are not where they were wanted."""
    for one in published:
        if one["wanted"] and not one["address"].endswith(f":{one['wanted']}"):
            click.echo(
                f"varka: port {one['wanted']} is taken; {one['gateway']}:{one['port']} is at"
                f" {one['address']}",
                err=True,
            )


def document_of(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What `-o json` promises, of what the supervisor says."""
    pods = [
        {key: pod[key] for key in ("name", "namespace", "ip", "proxy", "ready")}
        for pod in answer["pods"]
    ]
    published = [
        {key: one[key] for key in ("address", "gateway", "port")} for one in answer["published"]
    ]
    return {
        "name": answer["name"],
        "pid": answer["pid"],
        "ready_ms": 0,
        "processes": answer["processes"],
        "pods": pods,
        "published": published,
        "diagnostics": [
            *answer["diagnostics"],
            *(
                _of_runtime(f"Pod {pod}", f"not started: {why}")
                for pod, why in answer["failed"].items()
            ),
            *(_of_runtime(what, why) for what, why in answer["problems"].items()),
        ],
    }


def _of_runtime(what: str, why: str) -> dict[str, Any]:
    """What the runtime could not do with an object (`Kind name.namespace`)."""
    kind, _, full_name = what.partition(" ")
    name, _, namespace = full_name.rpartition(".")
    key = {"kind": kind, "namespace": namespace, "name": name}
    return {
        "code": POD_NOT_STARTED,
        "severity": "error",
        "message": why,
        "object": key,
        "path": "",
    }


def explain(answer: Mapping[str, Any], timeout: float, control_plane: Path) -> None:
    """What is not ready, and the last that it wrote."""
    click.echo(f"varka: not everything is ready after {timeout:g} s", err=True)
    if not answer["settled"]:
        for line in _last_lines(str(control_plane)):
            click.echo(f"  control plane: {line}", err=True)
    for pod in answer["pods"]:
        if pod["ready"]:
            continue
        why = "; ".join(pod["waiting_for"]) or "it is being stopped"
        click.echo(f"  {pod['name']}.{pod['namespace']} is not ready: {why}", err=True)
        for one in pod["processes"]:
            for line in _last_lines(pod["logs"].get(one["container"], "")):
                click.echo(f"    {one['container']}: {line}", err=True)


def _last_lines(path: str, count: int = 3) -> list[str]:
    try:
        return Path(path).read_text(errors="replace").splitlines()[-count:]
    except OSError:
        return []


def show(document: Mapping[str, Any], output: str) -> None:
    if output == "json":
        click.echo(json.dumps(document))
        return
    from varka.cli.output import print_diagnostics

    print_diagnostics(document["diagnostics"])
    rows = [
        (
            f"{pod['name']}.{pod['namespace']}",
            pod["ip"],
            pod["proxy"],
            "yes" if pod["ready"] else "no",
        )
        for pod in document["pods"]
    ]
    width = max((len(row[0]) for row in rows), default=4)
    click.echo(f"{'POD':{width}}  {'IP':13}  {'PROXY':7}  READY", err=True)
    for pod, address, proxy, ready in rows:
        click.echo(f"{pod:{width}}  {address:13}  {proxy:7}  {ready}", err=True)
    for one in document["published"]:
        click.echo(f"http://{one['address']} is port {one['port']} of {one['gateway']}", err=True)
    if not all(pod["ready"] for pod in document["pods"]):
        return
    click.echo(
        f"mesh {document['name']} is up after {document['ready_ms'] / 1000:.1f} s (pid"
        f" {document['pid']})",
        err=True,
    )
