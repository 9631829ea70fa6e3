"""`varka logs`: what a workload or a proxy wrote."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import BinaryIO

import click

from varka.cli.exits import OK
from varka.cli.live import find_pod

PROXY = "istio-proxy"


@click.command()
@click.argument("pod")
@click.option("--name", metavar="NAME", help="The mesh, when several run.")
@click.option(
    "-n",
    "--namespace",
    default="default",
    show_default=True,
    metavar="NS",
    help="The pod's, where its name has none.",
)
@click.option(
    "-c",
    "--container",
    metavar="NAME",
    help="`istio-proxy` is the Envoy; without it, the first container.",
)
@click.option("-f", "--follow", is_flag=True, help="Go on as more is written.")
def logs(pod: str, name: str | None, namespace: str, container: str | None, follow: bool) -> int:
    """Print the output of a workload of POD, or its proxy's log with the access log in it."""
    target = find_pod(name, pod, namespace)
    chosen = container or next((one for one in target.status["logs"] if one != PROXY), PROXY)
    _print(target.log_of(chosen), follow)
    return OK


def _print(path: Path, follow: bool) -> None:
    try:
        with path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
            if follow:
                _follow(path, file)
    except FileNotFoundError:
        return


def _follow(path: Path, file: BinaryIO) -> None:
    from watchfiles import watch

    for _ in watch(path.parent, step=20, debounce=50, rust_timeout=0, recursive=False):
        shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()
