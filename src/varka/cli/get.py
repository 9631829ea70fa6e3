"""`varka get`: objects of the running mesh, as kubectl shows them."""

from __future__ import annotations

import json
from typing import Any

import click

from varka.cli.exits import FAILED, OK, Failure


@click.command()
@click.option("--name", "mesh", metavar="NAME", help="The mesh, when several run.")
@click.argument("kind")
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option("-n", "--namespace", default="default", show_default=True)
@click.option("-A", "--all-namespaces", "everywhere", is_flag=True)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["wide", "name", "yaml", "json"]),
    help="wide says who wrote an object, and where.",
)
def get(
    mesh: str | None,
    kind: str,
    names: tuple[str, ...],
    namespace: str,
    everywhere: bool,
    output: str | None,
) -> int:
    """Show objects by kind (`vs`, `virtualservice`, `svc,pods`) and name."""
    from varka.cli.client import connect
    from varka.cli.objects import kind_of

    words, slash, single = kind.partition("/")
    kinds = [kind_of(word) for word in words.split(",")]
    names = (single, *names) if slash else names
    client, by_kind, missing = connect(mesh), [], []
    for one in kinds:
        place = namespace if one.namespaced and not everywhere else None
        items = client.get("/objects", kind=f"{one.name}.{one.group}", namespace=place)["items"]
        known = [item["object"]["metadata"]["name"] for item in items]
        missing += [(one, name, known) for name in names if name not in known]
        by_kind.append(
            (
                one,
                [
                    item
                    for item in items
                    if not names or item["object"]["metadata"]["name"] in names
                ],
            )
        )
    if output in ("yaml", "json"):
        _print_documents(
            [item["object"] for _, items in by_kind for item in items],
            output,
            single=len(names) == 1,
        )
    else:
        _print_tables(by_kind, everywhere, output)
    if missing:
        raise Failure(
            "\n".join(f'{one.plural} "{name}" not found' for one, name, _ in missing),
            hint=_hint(missing),
            code=FAILED,
        )
    if not any(items for _, items in by_kind) and output not in ("yaml", "json"):
        click.echo(
            "No resources found" + ("" if everywhere else f" in {namespace} namespace."), err=True
        )
    return OK


def _hint(missing: list[tuple[Any, str, list[str]]]) -> str:
    from difflib import get_close_matches

    near = [match for _, name, known in missing for match in get_close_matches(name, known, n=1)]
    return f"did you mean {', '.join(repr(n) for n in near)}?" if near else ""


def _print_documents(objects: list[Any], output: str, *, single: bool) -> None:
    whole = (
        objects[0]
        if single and len(objects) == 1
        else {"apiVersion": "v1", "kind": "List", "items": objects}
    )
    if output == "json":
        click.echo(json.dumps(whole, indent=4, ensure_ascii=False))
        return
    import yaml

    click.echo(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True), nl=False)


def _print_tables(
    by_kind: list[tuple[Any, list[Any]]], everywhere: bool, output: str | None
) -> None:
    from varka.cli.objects import age, columns
    from varka.cli.tables import render

    several = len(by_kind) > 1
    for kind, items in by_kind:
        if output == "name":
            group = f".{kind.group}" if kind.group else ""
            click.echo(
                "".join(
                    f"{kind.singular}{group}/{i['object']['metadata']['name']}\n" for i in items
                ),
                nl=False,
            )
            continue
        if not items:
            continue
        chosen, wide = columns(kind.name), output == "wide"
        header = [
            *(["NAMESPACE"] if everywhere else []),
            "NAME",
            *(title for title, _ in chosen),
            "AGE",
        ]
        rows = [[*header, *(["SOURCE", "ORIGIN"] if wide else [])]]
        for item in items:
            value, metadata = item["object"], item["object"]["metadata"]
            name = f"{kind.singular}/{metadata['name']}" if several else metadata["name"]
            row = [
                *([metadata.get("namespace", "")] if everywhere else []),
                name,
                *(read(value) for _, read in chosen),
            ]
            rows.append(
                [
                    *row,
                    age(metadata.get("creationTimestamp", "")),
                    *([item["source"], item["origin"]] if wide else []),
                ]
            )
        click.echo(render(rows, 3), nl=False)
