"""`varka logs`: what a workload or a proxy wrote."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import BinaryIO

import click

from varka.cli.exits import NO_MESH, OK, Failure
from varka.local import handle

PROXY = "istio-proxy"


@click.command()
@click.argument("pod")
@click.option("--name", metavar="NAME", help="The mesh, when several run.")
@click.option("-n", "--namespace", default="default", show_default=True, metavar="NS", help="The pod's, where its name has none.")
@click.option("-c", "--container", metavar="NAME", help="`istio-proxy` is the Envoy; without it, the first container.")
@click.option("-f", "--follow", is_flag=True, help="Go on as more is written.")
def logs(pod: str, name: str | None, namespace: str, container: str | None, follow: bool) -> int:
    """Print the output of a workload of POD, or its proxy's log with the access log in it."""
    try:
        status = handle.ask(handle.choose(name), "status")
        found = handle.find_pod(status["pods"], pod, namespace)
    except handle.NoMesh as error:
        raise Failure(str(error), code=NO_MESH, hint="varka up starts one") from None
    except handle.NoPod as error:
        raise Failure(str(error)) from None
    files: dict[str, str] = found["logs"]
    chosen = container or next((one for one in files if one != PROXY), PROXY)
    if chosen not in files:
        raise Failure(f"pod {found['name']} has no container {chosen!r}; it has {', '.join(files)}")
    _print(Path(files[chosen]), follow)
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
