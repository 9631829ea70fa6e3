"""From a request to the echo object, calling others first where the configuration says so."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from msgspec import Struct

from varka.local.client.request import Request, Response, header_map
from varka.local.echo.config import EchoConfig, IncomingRequest, Wishes

PASSED_ON = (
    "x-request-id",
    "b3",
    "traceparent",
    "tracestate",
    "end-user",
    "cookie",
    "authorization",
)


class Answer(Struct, frozen=True):
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


async def answer(config: EchoConfig, request: IncomingRequest) -> Answer:
    """The HTTP answer; a failing one carries the echo object too."""
    wishes = Wishes.of(request)
    if wishes.delay:
        await asyncio.sleep(wishes.delay)
    body = await echo_json(config, request)
    headers = (("content-type", "application/json"), ("server", "varka-echo"), *wishes.headers)
    return Answer(wishes.status, headers, body.ljust(wishes.size))


async def echo_json(config: EchoConfig, request: IncomingRequest) -> bytes:
    calls = await _call_all(config.calls, request) if config.calls else []
    return json.dumps(echo(config, request, calls)).encode()


def echo(
    config: EchoConfig, request: IncomingRequest, calls: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "pod": config.pod,
        "namespace": config.namespace,
        "version": config.version,
        "service_account": config.service_account,
        "ip": config.ip,
        "port": request.port,
        "method": request.method,
        "path": request.path,
        "host": request.host,
        "protocol": request.protocol,
        "headers": header_map(request.headers),
        "peer": request.peer,
        "calls": calls,
    }


async def _call_all(urls: tuple[str, ...], request: IncomingRequest) -> list[dict[str, Any]]:
    headers = tuple(
        (name, value)
        for name, value in request.headers
        if name in PASSED_ON or name.startswith("x-b3-")
    )
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_call(url, headers)) for url in urls]
    return [task.result() for task in tasks]


async def _call(url: str, headers: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """The response with its echo object, whose first words (who answered) stand in front; the body
    only when it is no echo."""
    # Only stand-ins that call others pay for the sender.
    from varka.local.client.sender import send

    try:
        summary = await send(Request(url, headers=headers))
    except ValueError as error:
        return {"url": url, "status": 0, "error": str(error), "echo": None}
    return {"url": url, **_called(summary.responses[0])}


def _called(response: Response) -> dict[str, Any]:
    called: dict[str, Any] = {"status": response.status, "error": response.error}
    if response.echo is None:
        return {**called, "echo": None, "body": response.body}
    who = {name: response.echo[name] for name in ("pod", "namespace", "version", "service_account")}
    return {**called, **who, "echo": response.echo}
