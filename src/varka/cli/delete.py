"""`varka delete`: remove objects from the running mesh."""

from __future__ import annotations

import click

from varka.cli.exits import FAILED, OK, UNPARSABLE, Failure


@click.command()
@click.option("--name", "mesh", metavar="NAME", help="The mesh, when several run.")
@click.argument("words", nargs=-1, metavar="[KIND NAME...]")
@click.option(
    "-f",
    "--filename",
    "files",
    multiple=True,
    metavar="FILE",
    help="Remove the objects of a file; `-` is stdin.",
)
@click.option("-n", "--namespace", default="default", show_default=True)
@click.option("--ignore-not-found", is_flag=True, help="Objects that are not there are no failure.")
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def delete(
    mesh: str | None,
    words: tuple[str, ...],
    files: tuple[str, ...],
    namespace: str,
    ignore_not_found: bool,
    output: str,
) -> int:
    """Remove objects by kind and name, or those that files hold."""
    if bool(words) == bool(files):
        raise click.UsageError("either KIND NAME or -f FILE")
    from varka.cli.client import connect
    from varka.cli.output import print_json

    wanted = _of_files(files, namespace) if files else _of_words(words, namespace)
    answer = connect(mesh).delete("/objects", {"objects": wanted})
    if output == "json":
        print_json(answer)
    else:
        for one in answer["deleted"]:
            click.echo(f'{one["kind"].lower()} "{one["name"]}" deleted')
        for one in answer["missing"]:
            click.echo(f'{one["kind"].lower()} "{one["name"]}" not found', err=True)
    return FAILED if answer["missing"] and not ignore_not_found else OK


def _of_words(words: tuple[str, ...], namespace: str) -> list[dict[str, str]]:
    """`vs reviews`, `vs a b` or `vs/reviews svc/a`."""
    from varka.cli.objects import kind_of

    pairs = (
        [tuple(word.split("/", 1)) for word in words]
        if "/" in words[0]
        else [(words[0], name) for name in words[1:]]
    )
    if not pairs or any(len(pair) != 2 for pair in pairs):
        raise click.UsageError("a name is missing: varka delete KIND NAME")
    named = [(kind_of(word), name) for word, name in pairs]
    return [
        {
            "group": kind.group,
            "kind": kind.name,
            "namespace": namespace if kind.namespaced else "",
            "name": name,
        }
        for kind, name in named
    ]


def _of_files(files: tuple[str, ...], namespace: str) -> list[dict[str, str]]:
    from varka.cli.output import as_line
    from varka.resources.codes import Code
    from varka.resources.load import load
    from varka.store.texts import read

    texts, problems = read(files)
    loaded = load(texts, namespace=namespace)
    problems += [d for d in loaded.diagnostics if d.code == Code.SYNTAX]
    if problems:
        raise Failure("\n".join(as_line(d) for d in problems), code=UNPARSABLE)
    keys = dict.fromkeys(
        [r.key for r in loaded.resources] + [d.object for d in loaded.diagnostics if d.object]
    )
    return [
        {"group": k.group, "kind": k.kind, "namespace": k.namespace, "name": k.name} for k in keys
    ]
