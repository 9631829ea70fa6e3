"""`varka ps` (`proxy-status`): which proxies are connected and in sync."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

import click

from varka.cli.exits import FAILED, OK, Failure


@click.command()
@click.option("--name", "mesh", metavar="NAME", help="The mesh, when several run.")
@click.argument("pod", required=False, metavar="[POD[.NAMESPACE]]")
@click.option("-n", "--namespace", default="default", show_default=True)
@click.option(
    "-v", "--verbosity", type=int, default=0, metavar="N", help="1: a column for each type."
)
@click.option(
    "-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True
)
def ps(mesh: str | None, pod: str | None, namespace: str, verbosity: int, output: str) -> int:
    """Every connected proxy: SYNCED (it has the newest), STALE (it did not answer yet), NOT SENT,
    ERROR (it rejected)."""
    from varka.cli.client import connect
    from varka.cli.output import print_json
    from varka.cli.tables import render

    client = connect(mesh)
    proxies = client.get("/proxies")["proxies"]
    if pod is not None:
        proxies = _chosen(proxies, pod, namespace)
    if output == "json":
        print_json(proxies)
        return OK
    failing = [] if pod else _failing(client.get("/objects", kind="Pod")["items"])
    types = list(proxies[0]["types"]) if proxies and verbosity else []
    rows = [["NAME", "CLUSTER", "ISTIOD", "VERSION", *(types or ["SUBSCRIBED TYPES"])]]
    for proxy in proxies:
        shown = [proxy["types"][type_] for type_ in types] or [_subscribed(proxy)]
        rows.append([proxy["name"], proxy["cluster"], proxy["istiod"], proxy["version"], *shown])
    rows += [[name, "", "", "", reason] for name, reason in failing]
    click.echo(render(rows, 5), nl=False)
    return OK


def _subscribed(proxy: dict[str, Any]) -> str:
    subscribed = [type_ for type_, state in proxy["types"].items() if state != "NOT SENT"]
    return f"{len(subscribed)} ({','.join(subscribed)})"


def _chosen(proxies: list[Any], pod: str, namespace: str) -> list[Any]:
    wanted = pod if "." in pod else f"{pod}.{namespace}"
    matching = [proxy for proxy in proxies if proxy["name"] == wanted]
    if not matching:
        near = get_close_matches(wanted, [proxy["name"] for proxy in proxies], n=1)
        hint = f"did you mean {near[0]!r}?" if near else "varka ps lists those that are connected"
        raise Failure(f"no proxy {wanted!r} is connected", code=FAILED, hint=hint)
    return matching


def _failing(pods: list[Any]) -> list[tuple[str, str]]:
    """Pods of which something does not stay up, and why."""
    from varka.cli.objects import pod_status

    shown = [(item["object"]["metadata"], pod_status(item["object"])) for item in pods]
    return [
        (f"{m['name']}.{m.get('namespace', '')}", reason)
        for m, reason in shown
        if reason == "CrashLoopBackOff"
    ]
