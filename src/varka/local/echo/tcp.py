"""Plain TCP: after the first bytes one line with the echo object, then every byte back."""

from __future__ import annotations

from varka.local.echo.config import Asked
from varka.local.echo.stream import Incoming


async def serve(incoming: Incoming) -> None:
    """Until the peer closes. Raises Gone."""
    stream = incoming.stream
    data = await stream.receive()
    if not data:
        return
    answer = await incoming.answering(Asked(incoming.port, "TCP", stream.peer))
    await stream.send(answer.body + b"\n" + data)
    while data := await stream.receive():
        await stream.send(data)
