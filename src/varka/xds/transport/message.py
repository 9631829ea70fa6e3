"""A gRPC message on its way out, framed once for all streams."""

from __future__ import annotations

from varka.xds.transport.frames import DATA, HEADER, MAX_FRAME, frame_header

PREFIX = 5
"""Bytes before a gRPC message: a flag for compression, and its length."""


class Message:
    """`payload` is the length-prefixed message (the plain body for what is no gRPC). Its DATA
    frames are made once for each stream id: nearly all clients have theirs on stream 1, so they
    share these bytes."""

    __slots__ = ("_wires", "payload", "size")

    def __init__(self, body: bytes, *, prefixed: bool = True) -> None:
        self.payload = b"\0" + len(body).to_bytes(4, "big") + body if prefixed else body
        self.size = len(self.payload)
        self._wires: dict[int, bytes] = {}

    @property
    def body(self) -> bytes:
        """Without its prefix."""
        return self.payload[PREFIX:]

    def wire(self, stream: int) -> bytes:
        """The whole message as DATA frames of that stream."""
        wire = self._wires.get(stream)
        if wire is None:
            payload = self.payload
            parts: list[bytes] = []
            for at in range(0, self.size, MAX_FRAME):
                part = payload[at : at + MAX_FRAME]
                parts += (frame_header(len(part), DATA, 0, stream), part)
            wire = self._wires[stream] = b"".join(parts)
        return wire

    @staticmethod
    def wire_offset(offset: int) -> int:
        """Where the payload's byte `offset` begins in `wire`, the header of its frame included when
        it is the first one of a frame."""
        return offset + offset // MAX_FRAME * HEADER
