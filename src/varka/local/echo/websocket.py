"""A WebSocket that sends every message back. Who answered is in the handshake's headers."""

from __future__ import annotations

from varka.local.client.codec import Frame, Opcode, encode_frame, take_frames
from varka.local.echo.stream import Stream


async def serve(stream: Stream) -> None:
    """Until the peer closes. Raises Gone."""
    buffer = bytearray()
    while data := await stream.receive():
        buffer += data
        for frame in take_frames(buffer):
            if frame.opcode == Opcode.PONG:
                continue
            opcode = Opcode.PONG if frame.opcode == Opcode.PING else frame.opcode
            await stream.send(encode_frame(Frame(opcode, frame.payload, frame.final)))
            if frame.opcode == Opcode.CLOSE:
                return
