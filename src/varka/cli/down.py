"""`varka down`: stop a mesh; nothing is left."""

from __future__ import annotations

import shutil

import click

from varka.cli.exits import NO_MESH, OK, Failure
from varka.local.supervisor import handle
from varka.local.supervisor.paths import MeshPaths, mesh_paths


@click.command()
@click.option("--name", metavar="NAME", help="The mesh, when several run.")
@click.option("--all", "every", is_flag=True, help="Stop all meshes of this user.")
def down(name: str | None, every: bool) -> int:
    """Stop a mesh: its processes, namespaces, rules, sockets and files are gone when this
    returns."""
    if every and name:
        raise click.UsageError("--all or --name, not both")
    if every:
        for running in handle.running():
            _stop(mesh_paths(running))
        return OK
    alive = handle.running()
    chosen = name or (alive[0] if len(alive) == 1 else "default")
    if not _stop(mesh_paths(chosen)):
        others = f"running: {', '.join(alive)}" if alive else "nothing runs"
        raise Failure(f"no mesh {chosen!r} is running", code=NO_MESH, hint=others)
    return OK


def _stop(paths: MeshPaths) -> bool:
    """Also removes what a killed mesh left behind. False when there was nothing at all."""
    stopped = handle.stop(paths)
    left = [folder for folder in (paths.sockets, paths.state) if folder.exists()]
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    if stopped or left:
        click.echo(f"mesh {paths.name} is down", err=True)
    return stopped or bool(left)
