"""A server of the transport with an echo service, in a thread of its own, and a raw client."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import uvloop

from varka.xds.transport import frames
from varka.xds.transport.headers import literal
from varka.xds.transport.limits import DEFAULT_LIMITS, Limits
from varka.xds.transport.message import Message
from varka.xds.transport.server import Server
from varka.xds.transport.service import unary
from varka.xds.transport.status import CallError, Status
from varka.xds.transport.stream import Stream

T = TypeVar("T")
ECHO = "/test.Echo/Stream"
UNARY = "/test.Echo/Once"
BROKEN = "/test.Echo/Broken"
SETTINGS = frames.frame(frames.SETTINGS, 0, 0)
REQUEST = b"".join(
    literal(name, value)
    for name, value in (
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", ECHO.encode()),
        (b":authority", b"x"),
        (b"te", b"trailers"),
        (b"content-type", b"application/grpc"),
    )
)
OPENED = frames.PREFACE + SETTINGS + frames.frame(frames.HEADERS, frames.END_HEADERS, 1, REQUEST)


@dataclass(eq=False)
class Echo:
    """Answers each message with itself. `status:N` ends the stream with that status; `peer` answers
    who asks."""

    stream: Stream
    open: set[Echo]
    drained_times: int = 0
    messages: list[bytes] = field(default_factory=list)

    def received(self, body: bytes) -> None:
        self.messages.append(body)
        if body.startswith(b"status:"):
            self.stream.end(Status(int(body[7:])), "as you wish: ä%")
        elif body == b"peer":
            self.stream.send(Message(repr(self.stream.peer).encode()))
        elif body == b"bug":
            raise KeyError("a bug")
        else:
            self.stream.send(Message(body))

    def half_closed(self) -> None:
        self.stream.end(Status.OK)

    def drained(self) -> None:
        self.drained_times += 1

    def closed(self) -> None:
        self.open.discard(self)


async def once(stream: Stream, request: bytes) -> bytes:
    if request == b"slow":
        await asyncio.sleep(60)
    if request == b"refused":
        raise CallError(Status.PERMISSION_DENIED, "not you")
    if request == b"bug":
        raise KeyError("a bug")
    return request


@dataclass(eq=False)
class Serving:
    """A running server; `call` runs something in its loop."""

    loop: asyncio.AbstractEventLoop
    server: Server
    streams: set[Echo]

    def call(self, make: Callable[[], Awaitable[T]]) -> T:
        async def run() -> T:
            return await make()

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(20)

    def do(self, function: Callable[[], T]) -> T:
        async def run() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(20)

    def port(self) -> int:
        return self.call(lambda: self.server.listen_tcp("127.0.0.1", 0))

    def push(self, body: bytes) -> None:
        """One message to every open stream."""
        message = Message(body)

        def send() -> None:
            for echo in tuple(self.streams):
                echo.stream.send(message)

        self.do(send)


@contextmanager
def serving(limits: Limits = DEFAULT_LIMITS, *, uv: bool = True) -> Iterator[Serving]:
    loop = uvloop.new_event_loop() if uv else asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    streams: set[Echo] = set()

    def echo(stream: Stream) -> Echo:
        handler = Echo(stream, streams)
        streams.add(handler)
        return handler

    def broken(_: Stream) -> Echo:
        raise KeyError("a bug")

    server = Server({ECHO: echo, UNARY: unary(once), BROKEN: broken}, limits)
    found = Serving(loop, server, streams)
    try:
        yield found
    finally:
        found.call(lambda: server.stop(0.2))
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@dataclass(frozen=True)
class Frame:
    kind: int
    flags: int
    stream: int
    payload: bytes

    @property
    def code(self) -> int:
        """Of RST_STREAM and GOAWAY."""
        at = 4 if self.kind == frames.GOAWAY else 0
        return int.from_bytes(self.payload[at : at + 4], "big")


class RawClient:
    """Bytes to a server, frames back."""

    def __init__(self, port: int, timeout: float = 5, receive_buffer: int = 0) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(("127.0.0.1", port))
        self._buffer = b""

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def frame(self) -> Frame | None:
        """The next one; None when the server has closed. Raises TimeoutError."""
        while True:
            size = int.from_bytes(self._buffer[:3], "big") + frames.HEADER
            if len(self._buffer) >= frames.HEADER and len(self._buffer) >= size:
                data, self._buffer = self._buffer[:size], self._buffer[size:]
                id_ = int.from_bytes(data[5:9], "big")
                return Frame(data[3], data[4], id_, data[frames.HEADER :])
            try:
                more = self.socket.recv(1 << 16)
            except ConnectionError:
                return None
            if not more:
                return None
            self._buffer += more

    def until(self, kind: int) -> Frame | None:
        """The next frame of a kind; None when the server closes before."""
        while (found := self.frame()) is not None and found.kind != kind:
            pass
        return found

    def rest(self) -> list[Frame]:
        """All frames until the server closes. Raises TimeoutError."""
        found = []
        while (one := self.frame()) is not None:
            found.append(one)
        return found

    def close(self) -> None:
        self.socket.close()


def grpc_message(body: bytes) -> bytes:
    return b"\0" + len(body).to_bytes(4, "big") + body


def data(body: bytes, stream: int = 1, flags: int = 0) -> bytes:
    """One message in one DATA frame."""
    return frames.frame(frames.DATA, flags, stream, grpc_message(body))
