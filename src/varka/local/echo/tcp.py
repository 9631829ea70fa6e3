"""Plain TCP: one line with the echo object, then every byte back. Who speaks first depends on the
protocol that the stand-in stands for."""

from __future__ import annotations

from varka.local.echo.config import IncomingRequest
from varka.local.echo.stream import Incoming


async def greet(incoming: Incoming) -> None:
    """As a server that speaks first: the line at once. Until the peer closes. Raises Gone."""
    await _send_echo(incoming, b"")
    await _return_bytes(incoming)


async def serve(incoming: Incoming) -> None:
    """The line after the first bytes. Until the peer closes. Raises Gone."""
    stream = incoming.stream
    data = await stream.receive()
    if not data:
        return
    await _send_echo(incoming, data)
    await _return_bytes(incoming)


async def _send_echo(incoming: Incoming, data: bytes) -> None:
    answer = await incoming.answering(IncomingRequest(incoming.port, "TCP", incoming.stream.peer))
    await incoming.stream.send(answer.body + b"\n" + data)


async def _return_bytes(incoming: Incoming) -> None:
    while data := await incoming.stream.receive():
        await incoming.stream.send(data)
