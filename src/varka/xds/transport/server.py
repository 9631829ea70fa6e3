"""Listeners and the connections that they accept."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct, field

from varka.xds.transport import frames
from varka.xds.transport.connection import Connection
from varka.xds.transport.headers import FirstBlocks
from varka.xds.transport.life import Life
from varka.xds.transport.limits import DEFAULT_LIMITS, Limits
from varka.xds.transport.message import PREFIX
from varka.xds.transport.service import Method

log = logging.getLogger(__name__)

_TICK = 1.0
_BACKLOG = 1024
_KNOWN_READS, _LONGEST_KNOWN_READ = 256, 1024

KnownRead = tuple[int, int, bytes]
"""Length of the DATA payload, stream id, message."""


class Shared(Struct, eq=False):
    """What the connections of a server have in common."""

    methods: Mapping[str, Method]
    limits: Limits
    clock: Callable[[], float] = time.monotonic
    first_blocks: FirstBlocks = field(default_factory=FirstBlocks)
    connections: set[Connection] = field(default_factory=set)
    known_reads: dict[bytes, KnownRead] = field(default_factory=dict)
    """Reads that were one whole message on one stream: acknowledgements, which are the same bytes
    from every client that got the same response."""
    hello: bytes = b""

    def __post_init__(self) -> None:
        limits = self.limits
        self.hello = frames.settings(
            {
                frames.MAX_STREAMS: limits.streams,
                frames.INITIAL_WINDOW: limits.window,
                frames.HEADER_LIST: limits.header_list,
            }
        ) + frames.window_update(0, limits.window - frames.DEFAULT_WINDOW)

    def admit(self, connection: Connection) -> bool:
        """False when there are too many."""
        if len(self.connections) >= self.limits.connections:
            log.warning("more than %d connections: one is refused", self.limits.connections)
            return False
        self.connections.add(connection)
        return True

    def forget(self, connection: Connection) -> None:
        self.connections.discard(connection)

    def remember(self, read: bytes, length: int, stream: int, body: bytes) -> None:
        if len(read) <= _LONGEST_KNOWN_READ and length == len(body) + PREFIX:
            if len(self.known_reads) >= _KNOWN_READS:
                self.known_reads.clear()
            self.known_reads[read] = (length, stream, body)

    def new_life(self) -> Life:
        """It ends up to a tenth earlier or later than others of its age, so that clients do not
        come back all at once."""
        now, age = self.clock(), self.limits.max_age
        ends = float("inf") if age is None else now + age * random.uniform(0.9, 1.1)
        return Life(self.limits, now, ends)


class _Listener(Struct, eq=False):
    """A bound socket. Its duplicates are served, so that they can be replaced."""

    socket: socket.socket
    tls: ssl.SSLContext | None
    serving: asyncio.Server | None = None


class Server:
    """Serves `methods` (path to method: `/package.Service/Method`) on any number of listeners.
    Belongs to one event loop."""

    def __init__(self, methods: Mapping[str, Method], limits: Limits = DEFAULT_LIMITS) -> None:
        self._shared = Shared(methods, limits)
        self._listeners: list[_Listener] = []
        self._ticking: asyncio.Task[None] | None = None

    @property
    def connections(self) -> int:
        return len(self._shared.connections)

    async def listen_tcp(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Listen; the port that was bound. With `tls` whose `verify_mode` is CERT_OPTIONAL a client
        certificate is verified if the client has one. Raises OSError."""
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
            await self._serve(_Listener(bound, tls))
        except OSError:
            bound.close()
            raise
        return int(bound.getsockname()[1])

    async def listen_unix(self, path: Path, mode: int = 0o600) -> None:
        """Listen on a Unix socket that only its owner can open (`mode`). Raises OSError."""
        path.unlink(missing_ok=True)
        bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            before = os.umask(0o777 & ~mode)
            try:
                bound.bind(str(path))
            finally:
                os.umask(before)
            await self._serve(_Listener(bound, None))
        except OSError:
            bound.close()
            raise

    async def replace_tls(self, context: ssl.SSLContext) -> None:
        """Other certificates or roots for all connections that come from now on."""
        for listener in self._listeners:
            if listener.tls is not None:
                before, listener.tls = listener.serving, context
                await self._accept(listener)
                if before is not None:
                    before.close()

    async def stop(self, grace: float = 1.0) -> None:
        """Accept no more, ask all clients to leave, end their streams with UNAVAILABLE, and close
        what is still open after `grace` seconds."""
        for listener in self._listeners:
            if listener.serving is not None:
                listener.serving.close()
            listener.socket.close()
        self._listeners.clear()
        if self._ticking is not None:
            self._ticking.cancel()
        for connection in tuple(self._shared.connections):
            connection.leave("the server stops")
            connection.end_streams("the server stops")
        deadline = self._shared.clock() + grace
        while self._shared.connections and self._shared.clock() < deadline:
            await asyncio.sleep(0.01)
        for connection in tuple(self._shared.connections):
            connection.abort()

    async def _serve(self, listener: _Listener) -> None:
        listener.socket.listen(_BACKLOG)
        await self._accept(listener)
        self._listeners.append(listener)
        if self._ticking is None:
            self._ticking = asyncio.get_running_loop().create_task(self._tick())

    async def _accept(self, listener: _Listener) -> None:
        loop, shared = asyncio.get_running_loop(), self._shared
        create = (
            loop.create_unix_server
            if listener.socket.family == socket.AF_UNIX
            else loop.create_server
        )
        handshake = shared.limits.handshake if listener.tls is not None else None
        listener.serving = await create(
            lambda: Connection(shared),
            sock=listener.socket.dup(),
            ssl=listener.tls,
            ssl_handshake_timeout=handshake,
            backlog=_BACKLOG,
        )

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            now = self._shared.clock()
            for connection in tuple(self._shared.connections):
                try:
                    connection.tick(now)
                except Exception:
                    log.exception("a bug in looking after a connection")
                    connection.abort()
