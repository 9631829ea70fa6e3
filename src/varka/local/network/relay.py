"""Connections over the border of the mesh: out to this machine and beyond, in through published
ports.

No packet crosses it. A socket belongs to the network it was opened in and may be handed to a
process of another one: so the supervisor, which lives outside, holds one socket of each side and
copies.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

from varka.local.network.addresses import HOST_ADDRESS

_CONNECT_PATIENCE = 20.0
_ORIGINAL_DST = 80
SocketMaker = Callable[[], Awaitable[socket.socket]]
Background = Callable[[str, Coroutine[Any, Any, None]], object]


def original_destination(accepted: socket.socket) -> tuple[str, int]:
    """Where a redirected connection wanted to go."""
    raw = accepted.getsockopt(socket.SOL_IP, _ORIGINAL_DST, 16)
    port, address = struct.unpack_from("!2xH4s", raw)
    return socket.inet_ntoa(address), port


def seen_from_outside(address: str) -> str:
    """`host.varka.internal` is the machine's own loopback."""
    return "127.0.0.1" if address == HOST_ADDRESS else address


class _Side(asyncio.Protocol):
    """One half of a relayed connection: what it reads the other half writes, no faster than that
    can take it."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: _Side | None = None
        self.finished = False
        self._early = b""
        """Read before there was another half: early versions of Python 3.11 read in spite of a
        pause in `connection_made`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        transport.pause_reading()

    def join(self, other: _Side) -> None:
        self.other = other
        if other.transport is not None and self._early:
            other.transport.write(self._early)
            self._early = b""
        if other.transport is not None and self.finished:
            other.transport.write_eof()
        if self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        if self.other is None:
            self._early += data
        elif self.other.transport is not None:
            self.other.transport.write(data)

    def eof_received(self) -> bool:
        """Pass the end on; the connection stays open for the other direction until that ends
        too."""
        self.finished = True
        if self.other is None:
            return True
        if self.other.finished or self.other.transport is None:
            return False
        with suppress(OSError):
            self.other.transport.write_eof()
        return True

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if (
            self.other is not None
            and self.other.transport is not None
            and not self.other.transport.is_closing()
        ):
            self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.other is not None and self.other.transport is not None:
            if exc is not None:
                self.other.reset()
            else:
                self.other.transport.close()

    def reset(self) -> None:
        """Close so that the peer sees a reset: as if the far end had refused."""
        if self.transport is None:
            return
        connection = self.transport.get_extra_info("socket")
        if connection is not None:
            with suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


def _join(one: _Side, two: _Side) -> None:
    one.join(two)
    two.join(one)


async def outward(accepted: socket.socket, address: str, port: int) -> None:
    """Continue a connection that came from a pod to its real destination outside of the mesh."""
    loop = asyncio.get_running_loop()
    accepted.setblocking(False)
    inner, outer = _Side(), _Side()
    await loop.connect_accepted_socket(lambda: inner, accepted)
    try:
        async with asyncio.timeout(_CONNECT_PATIENCE):
            await loop.create_connection(lambda: outer, seen_from_outside(address), port)
    except (OSError, TimeoutError):
        inner.reset()
        return
    _join(inner, outer)


class Published:
    """A port of this machine that leads to an address inside the mesh. `socket_inside` opens
    sockets of the mesh's network, `background` runs a task that has a name."""

    def __init__(
        self, target: tuple[str, int], socket_inside: SocketMaker, background: Background
    ) -> None:
        self.target = target
        self._socket_inside, self._background = socket_inside, background
        self._server: asyncio.Server | None = None

    async def listen(self, host: str, port: int) -> tuple[str, int]:
        """Listen at `host:port`, or at a free port when that one is taken; returns the address."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(self._accept, host, port)
        except OSError:
            self._server = await loop.create_server(self._accept, host, 0)
        bound = self._server.sockets[0].getsockname()
        return str(bound[0]), int(bound[1])

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    def _accept(self) -> _Side:
        outer = _Side()
        host, port = self.target
        self._background(f"a connection to {host}:{port}", self._inward(outer))
        return outer

    async def _inward(self, outer: _Side) -> None:
        loop = asyncio.get_running_loop()
        inner = _Side()
        try:
            opened = await self._socket_inside()
            opened.setblocking(False)
            async with asyncio.timeout(_CONNECT_PATIENCE):
                await loop.sock_connect(opened, self.target)
            await loop.create_connection(lambda: inner, sock=opened)
        except (OSError, TimeoutError):
            outer.reset()
            return
        _join(outer, inner)
        if outer.transport is None or outer.transport.is_closing():
            inner.reset()
