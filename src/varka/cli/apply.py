"""`varka apply`: add or change objects in the running mesh."""

from __future__ import annotations

from typing import Any

import click

from varka.base.plain import some
from varka.cli.exits import FAILED, OK, UNPARSABLE, Failure


@click.command()
@click.option("--name", metavar="NAME", help="The mesh, when several run.")
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
@click.option("--atomic", is_flag=True, help="All objects or none.")
@click.option(
    "--wait/--no-wait",
    default=True,
    show_default=True,
    help="Until every proxy that sees the change has it.",
)
@click.option(
    "--timeout", type=float, default=30.0, show_default=True, metavar="S", help="How long to wait."
)
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def apply(
    name: str | None,
    files: tuple[str, ...],
    more: tuple[str, ...],
    namespace: str,
    atomic: bool,
    wait: bool,
    timeout: float,
    output: str,
) -> int:
    """Add or change objects; says which proxies have them, and which object a proxy did not
    accept."""
    if not files and not more:
        raise click.UsageError("name at least one FILE or DIR")
    from varka.cli.client import Refused, connect
    from varka.cli.output import as_line, print_diagnostics, print_json
    from varka.store.texts import read

    texts, unreadable = read((*files, *more))
    if unreadable:
        raise Failure("\n".join(as_line(d) for d in unreadable), code=UNPARSABLE)
    request = {
        "texts": texts,
        "namespace": namespace,
        "atomic": atomic,
        "wait": wait,
        "timeout": timeout,
    }
    try:
        answer = connect(name).post("/objects", request, timeout + 10)
    except Refused as error:
        if output == "json":
            print_json(error.answer)
        else:
            print_diagnostics(error.answer.get("diagnostics", ()))
        raise Failure(
            f"nothing was applied: {error}", code=UNPARSABLE if error.status == 422 else FAILED
        ) from None
    if output == "json":
        print_json(answer)
    else:
        _print(answer, wait)
    bad = (
        answer["refused"]
        or answer["quarantined"]
        or answer["proxies"]["rejected"]
        or answer.get("timed_out")
        or answer.get("failed")
    )
    return FAILED if bad else OK


def _print(answer: dict[str, Any], wait: bool) -> None:
    from varka.cli.output import print_diagnostics

    for one in answer["applied"]:
        click.echo(f"{one['kind'].lower()}/{one['name']} {one['action']}{_force(one)}")
    for one in answer["refused"]:
        print_diagnostics(one["diagnostics"])
    for one in answer["quarantined"]:
        where = f"{one['kind']} {one['namespace']}/{one['name']}"
        click.echo(
            f"{one['origin']}: error: {where} is not in force at {some(one['proxies'])}:"
            f" {one['reason']}",
            err=True,
        )
    print_diagnostics(answer["diagnostics"])
    for one in answer["proxies"]["rejected"]:
        if one["object"] is None:
            click.echo(f"{one['proxy']} rejected a resource: {one['error']}", err=True)
    for message in answer.get("failed", ()):
        click.echo(
            f"not all of it is in force: {message}; the control plane's log says more", err=True
        )
    if answer.get("timed_out"):
        click.echo("not every proxy answered in time; varka ps shows which are STALE", err=True)
    elif wait and answer["proxies"]["updated"]:
        total = sum(answer["bytes_sent"].values())
        acked = answer["proxies"]["acked"]
        who = "1 proxy has" if acked == 1 else f"{acked} proxies have"
        click.echo(f"{who} it after {answer['took_ms']} ms, {total} bytes", err=True)


def _force(applied: dict[str, Any]) -> str:
    """What is to be said when not all of an object is in force."""
    reasons = {condition["reason"] for condition in applied.get("conditions", ())}
    if not reasons:
        return ""
    return ", but not in force" if "SetAside" in reasons else ", but not all of it is in force"
