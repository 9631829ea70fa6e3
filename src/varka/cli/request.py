"""`varka request`: send real requests, from inside a pod or from this machine, and say who
answered."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from varka.cli.exits import FAILED, Failure
from varka.cli.tables import render
from varka.local.client.request import Protocol, Request, Target, Tls


@click.command()
@click.argument("url")
@click.option("--name", "mesh", metavar="NAME", help="The mesh, when several run.")
@click.option(
    "-n",
    "--namespace",
    default="default",
    metavar="NS",
    help="The pod's namespace, where its name has none.",
)
@click.option(
    "--from",
    "pod",
    metavar="POD|deploy/NAME[.NS]",
    help="Send from inside this pod; without it, from this machine.",
)
@click.option("-X", "--method", default="", metavar="METHOD", help="GET, or POST with a body.")
@click.option(
    "-H",
    "--header",
    "headers",
    multiple=True,
    metavar="'K: V'",
    help="Again for more; 'Host: x' sets the authority.",
)
@click.option("-d", "--data", "body", default="", metavar="BODY")
@click.option(
    "--count",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="How many requests.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1),
    metavar="N",
    help="So many at once, each over a connection that it keeps.",
)
@click.option("--http1.1", "protocol", flag_value=Protocol.HTTP11.value, help="The default.")
@click.option(
    "--http2",
    "protocol",
    flag_value=Protocol.HTTP2.value,
    help="With prior knowledge; by ALPN over TLS.",
)
@click.option(
    "--grpc",
    "protocol",
    flag_value=Protocol.GRPC.value,
    help="As grpc://HOST:PORT/PKG.SERVICE/METHOD does.",
)
@click.option("--tls-ca", metavar="FILE", help="Trust these certificates instead of the machine's.")
@click.option("--tls-cert", metavar="FILE", help="The client's certificate.")
@click.option("--tls-key", metavar="FILE", help="And its key.")
@click.option(
    "--sni",
    default="",
    metavar="HOST",
    help="The name asked for in TLS; the URL's host without it.",
)
@click.option("--tls-version", default="", metavar="1.2", help="Offer this version only.")
@click.option(
    "--tls-ciphers",
    default="",
    metavar="LIST",
    help="Offer these ciphers only, in OpenSSL's words; up to TLS 1.2.",
)
@click.option("--tls-curve", default="", metavar="P-256", help="Offer this curve only.")
@click.option("-k", "--insecure", is_flag=True, help="Do not check the server's certificate.")
@click.option(
    "--resolve", multiple=True, metavar="H:P:A", help="Connect to address A for host H and port P."
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=15.0,
    show_default=True,
    metavar="S",
)
@click.option(
    "--expect", type=int, metavar="STATUS", help="Any other status ends with exit code 1."
)
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def request(
    url: str,
    mesh: str | None,
    namespace: str,
    pod: str | None,
    method: str,
    headers: tuple[str, ...],
    body: str,
    count: int,
    concurrency: int | None,
    protocol: str | None,
    tls_ca: str | None,
    tls_cert: str | None,
    tls_key: str | None,
    sni: str,
    tls_version: str,
    tls_ciphers: str,
    tls_curve: str,
    insecure: bool,
    resolve: tuple[str, ...],
    timeout: float,
    expect: int | None,
    output: str,
) -> int:
    """Send requests to URL (http, https, grpc, grpcs, ws, wss, tcp, tls) and say who answered.

    The path goes out as it is written. Exit code 1 when a request got no answer.
    """
    to_send = Request(
        url=url,
        method=method.upper(),
        headers=tuple(_header(text) for text in headers),
        body=os.fsencode(body),
        protocol=Protocol(protocol) if protocol else None,
        count=count,
        concurrency=concurrency or 0,
        timeout=timeout,
        resolve=tuple(_resolve(text) for text in resolve),
        tls=Tls(
            _pem(tls_ca),
            _pem(tls_cert),
            _pem(tls_key),
            sni,
            not insecure,
            tls_version,
            tls_ciphers,
            tls_curve,
        ),
    )
    try:
        target = Target.parse(url)
    except ValueError as error:
        raise click.UsageError(f"{url}: {error}") from None
    if mesh is not None:
        _require(mesh)
    document = _send(to_send) if pod is None else _send_from(mesh, pod, namespace, to_send)
    if output == "json":
        click.echo(json.dumps(document))
    else:
        _show(document, to_send, target)
    return _code(document["summary"], expect)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise click.UsageError(f"header {text!r} is not 'name: value'")
    return name.strip(), value.strip()


def _resolve(text: str) -> str:
    host, _, rest = text.partition(":")
    port, _, address = rest.partition(":")
    if not (host and port.isdecimal() and address):
        raise click.UsageError(f"--resolve {text!r} is not HOST:PORT:ADDRESS")
    return text


def _pem(name: str | None) -> str:
    try:
        return Path(name).read_text() if name else ""
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{name}: {getattr(error, 'strerror', None) or 'not PEM'}") from None


def _require(mesh: str) -> None:
    """Who names a mesh wants it to be there, also when the requests come from this machine."""
    from varka.cli.live import chosen_mesh

    chosen_mesh(mesh)


def _send(to_send: Request) -> dict[str, Any]:
    import asyncio

    from varka.local.client.sender import send

    try:
        return asyncio.run(send(to_send)).to_document()
    except (ValueError, OSError) as error:
        raise click.UsageError(f"the TLS options cannot be used: {error}") from None


def _send_from(mesh: str | None, pod: str, namespace: str, to_send: Request) -> dict[str, Any]:
    """Run the sender in the pod: its addresses, its DNS, its capture."""
    from varka.cli.live import find_pod, run_in

    argv = [sys.executable, "-m", "varka.local.client", "-"]
    done = run_in(find_pod(mesh, pod, namespace), argv, json.dumps(to_send.to_document()))
    if done.returncode:
        raise Failure(
            f"nothing could be sent from {pod}: {done.stderr.strip().removeprefix('varka: ')}",
            code=FAILED,
        )
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def _code(summary: dict[str, Any], expect: int | None) -> int:
    if summary["errors"]:
        return FAILED
    if expect is not None and summary["by_status"] != {str(expect): summary["count"]}:
        return FAILED
    return 0


def _show(document: dict[str, Any], to_send: Request, target: Target) -> None:
    if to_send.count == 1:
        _show_one(document["responses"][0], target)
        return
    summary = document["summary"]
    rows = [
        (title, str(value), str(number), f"{number / summary['count']:.0%}")
        for title, counts in (
            ("status", "by_status"),
            ("version", "by_version"),
            ("pod", "by_pod"),
            ("error", "errors"),
        )
        for value, number in summary[counts].items()
    ]
    click.echo(render([("WHAT", "VALUE", "COUNT", "SHARE"), *rows], 3), nl=False)


_REASONS = {
    "connect": "nobody listens there",
    "reset": "the connection was closed before an answer",
    "tls": "the TLS handshake failed",
    "timeout": "no answer in time",
    "dns": "the name does not resolve",
}


def _show_one(response: dict[str, Any], target: Target) -> None:
    if error := response["error"]:
        click.echo(f"varka: {target.host}:{target.port}: {error}: {_REASONS[error]}", err=True)
        return
    echo = response["echo"]
    who = (
        f"  {echo['pod']}.{echo['namespace']}"
        + (f" ({echo['version']})" if echo["version"] else "")
        if echo
        else ""
    )
    status = f" {response['status']}" if response["status"] else ""
    grpc = f" grpc-status {response['grpc_status']}" if "grpc_status" in response else ""
    click.echo(f"{response['protocol']}{status}{grpc}{who}  {response['duration_ms']} ms")
    if response["body"]:
        click.echo(response["body"].rstrip())
