"""One accepted connection, whose first bytes can be looked at before a protocol takes it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

from msgspec import Struct

from varka.local.echo.answer import Answer
from varka.local.echo.config import IncomingRequest

Answering = Callable[[IncomingRequest], Awaitable[Answer]]


class Gone(Exception):
    """The peer went away."""


class Stream:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._ahead = b""
        peer = writer.get_extra_info("peername")
        self.peer: str = peer[0] if peer else ""
        sock = writer.get_extra_info("socket")
        if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def peek(self, least: int) -> bytes:
        """At least so many bytes, fewer only at the end of the stream; they will be read again."""
        while len(self._ahead) < least:
            data = await self._read()
            if not data:
                break
            self._ahead += data
        return self._ahead

    async def speaks_within(self, seconds: float) -> bool:
        """Whether the peer sends something, or closes, in so many seconds. Raises Gone."""
        try:
            async with asyncio.timeout(seconds):
                await self.peek(1)
        except TimeoutError:
            return False
        return True

    async def receive(self) -> bytes:
        """Some bytes; none at the end of the stream. Raises Gone."""
        if self._ahead:
            ahead, self._ahead = self._ahead, b""
            return ahead
        return await self._read()

    def put_back(self, data: bytes) -> None:
        self._ahead = data + self._ahead

    async def send(self, data: bytes) -> None:
        """Raises Gone."""
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError as error:
            raise Gone from error

    def close(self) -> None:
        self._writer.close()

    async def _read(self) -> bytes:
        try:
            return await self._reader.read(1 << 16)
        except OSError as error:
            raise Gone from error


class Incoming(Struct, frozen=True):
    """A connection with all that a protocol needs to serve it."""

    stream: Stream
    port: int
    answering: Answering
