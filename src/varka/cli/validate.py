"""`varka validate`: every mistake of manifests, with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from varka.base.diagnostic import Diagnostic, Severity
from varka.cli.exits import FAILED, OK

if TYPE_CHECKING:
    from varka.resources.load import Loaded


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
    checked, unplaced, diagnostics = _check((*files, *more), namespace, kind)
    if output == "json":
        show.print_json_diagnostics(diagnostics)
    else:
        show.print_diagnostics(diagnostics, err=False)
        note = f" ({unplaced} without namespace: using {namespace})" if unplaced else ""
        click.echo(show.summary(diagnostics, checked) + note, err=True)
    return FAILED if any(d.severity is Severity.ERROR for d in diagnostics) else OK


def _check(
    paths: tuple[str, ...], namespace: str, kind: str | None
) -> tuple[int, int, list[Diagnostic]]:
    """How many objects (or files) are good, how many of them name no namespace, and everything that
    was found."""
    from varka.store.texts import read

    texts, diagnostics = read(paths)
    if kind is None:
        from varka.resources.load import load

        loaded = load(texts, namespace=namespace)
        bad, found = _check_patches(loaded)
        unplaced = sum(
            bool(r.namespace) and not (r.raw.get("metadata") or {}).get("namespace")
            for r in loaded.resources
        )
        return len(loaded.resources) - bad, unplaced, [*diagnostics, *loaded.diagnostics, *found]
    from varka.resources import meshconfig

    check = meshconfig.load_mesh_config if kind == "meshconfig" else meshconfig.load_mesh_networks
    for name, text in texts:
        diagnostics += check(text, name)[1]
    return len(texts), 0, diagnostics


def _check_patches(loaded: Loaded) -> tuple[int, list[Diagnostic]]:
    """The values of EnvoyFilters are Envoy's messages: how many objects have bad ones, and why."""
    filters = [resource for resource in loaded.resources if resource.key.kind == "EnvoyFilter"]
    if not filters:
        return 0, []
    from varka.envoy.filters.values import check_values
    from varka.resources.findings import Findings
    from varka.resources.load import diagnostic

    bad, diagnostics = 0, []
    for resource in filters:
        findings = Findings()
        check_values(resource, findings)
        bad += findings.failed
        diagnostics += [
            diagnostic(found, resource.key, loaded.places[resource.key]) for found in findings.items
        ]
    return bad, diagnostics
