"""Plain bytes over TCP or TLS."""

from __future__ import annotations

import asyncio
import json

from varka.local.client.connection import Connection, NoAnswer
from varka.local.client.request import Request, Response

QUIET = 0.3
"""A server that neither closes nor names itself has said what it had to say after this many seconds
of silence."""


async def exchange(connection: Connection, request: Request) -> Response:
    """Send the body and collect the answer; an empty body goes as a newline, since many servers
    wait for bytes.

    The stand-in's answer is one line of JSON and then the bytes it got; any other server's lasts
    until it closes or is quiet.
    """
    sent = request.body or b"\n"
    await connection.send(sent)
    received = bytearray(await connection.receive())
    if not received:
        raise connection.lost("the connection was closed without an answer")
    while not _complete(received, len(sent)):
        try:
            async with asyncio.timeout(QUIET):
                data = await connection.receive()
        except TimeoutError:
            break
        except NoAnswer:
            break
        if not data:
            break
        received += data
    return Response(protocol="TCP", body=received.decode(errors="replace"))


def _complete(received: bytearray, sent: int) -> bool:
    line, newline, rest = received.partition(b"\n")
    return bool(newline) and len(rest) >= sent and line.startswith(b"{") and _is_echo(bytes(line))


def _is_echo(line: bytes) -> bool:
    try:
        return "pod" in json.loads(line)
    except ValueError:
        return False
