"""`varka validate`: every mistake of manifests, with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from varka.base.diagnostic import Severity
from varka.cli.exits import FAILED, OK

if TYPE_CHECKING:
    from varka.analyze.manifests import Checked


@click.command()
@click.argument("files", nargs=-1, metavar="FILE|DIR...")
@click.option(
    "-f",
    "--filename",
    "more",
    multiple=True,
    metavar="FILE",
    help="The same as a positional FILE; `-` is stdin.",
)
@click.option(
    "-n", "--namespace", default="default", show_default=True, help="Of objects that name none."
)
@click.option(
    "--as",
    "kind",
    type=click.Choice(["meshconfig", "meshnetworks"]),
    help="What the files hold instead of objects.",
)
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def validate(
    files: tuple[str, ...], more: tuple[str, ...], namespace: str, kind: str | None, output: str
) -> int:
    """Check manifests as the API server and Istio's webhook would; errors end with 1, warnings
    alone with 0."""
    if not files and not more:
        raise click.UsageError("name at least one FILE or DIR")
    import gc

    from varka.cli import output as show

    # What is made here lives until the end, so looking for garbage in it is a third of the time.
    gc.disable()
    checked = _check((*files, *more), namespace, kind)
    diagnostics = checked.diagnostics
    if output == "json":
        show.print_json_diagnostics(diagnostics)
    else:
        show.print_diagnostics(diagnostics, err=False)
        unplaced = f" ({checked.unplaced} without namespace: using {namespace})"
        click.echo(
            show.summary(diagnostics, checked.good) + (unplaced if checked.unplaced else ""),
            err=True,
        )
    return FAILED if any(d.severity is Severity.ERROR for d in diagnostics) else OK


def _check(paths: tuple[str, ...], namespace: str, kind: str | None) -> Checked:
    """Of objects, or of files that hold something else."""
    from varka.store.texts import read

    texts, unreadable = read(paths)
    if kind is None:
        from varka.analyze.manifests import check_manifests

        checked = check_manifests(texts, namespace)
        return checked._replace(diagnostics=[*unreadable, *checked.diagnostics])
    from varka.analyze.manifests import Checked
    from varka.resources import meshconfig

    check = meshconfig.load_mesh_config if kind == "meshconfig" else meshconfig.load_mesh_networks
    found = [diagnostic for name, text in texts for diagnostic in check(text, name)[1]]
    return Checked(len(texts), 0, [*unreadable, *found])
