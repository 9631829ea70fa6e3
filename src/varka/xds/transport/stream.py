"""One stream: its messages out, as fast as windows and socket allow, and its messages in."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING

from varka.xds.transport.frames import (
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADER,
    HEADERS,
    MAX_FRAME,
    MAX_WINDOW,
    ErrorCode,
    StreamFault,
    frame,
    frame_header,
    rst_stream,
)
from varka.xds.transport.headers import NO_GRPC, RESPONSE_HEAD, RequestHead, literal
from varka.xds.transport.message import PREFIX, Message
from varka.xds.transport.peer import Peer
from varka.xds.transport.service import Handler
from varka.xds.transport.status import Status, percent_encoded

if TYPE_CHECKING:
    from varka.xds.transport.connection import Connection

log = logging.getLogger(__name__)

FRAMES_PER_MESSAGE = 8
"""Frames without use that a client may send for each message that it gets."""


class Stream:
    """A call. Services use `head`, `peer`, `send`, `end` and `waiting`; the rest is for its
    connection."""

    __slots__ = (
        "_buffer",
        "_connection",
        "_deadline",
        "_got",
        "_handler",
        "_needed",
        "_offset",
        "_queue",
        "_trailers",
        "_wants_drained",
        "credit",
        "head",
        "id",
        "local_closed",
        "remote_closed",
        "window",
    )

    def __init__(self, connection: Connection, id_: int, head: RequestHead, window: int) -> None:
        self._connection = connection
        self.id, self.head, self.window = id_, head, window
        self.credit = 0
        """Bytes that came in and were not yet given back to the client's window."""
        self.remote_closed = False
        self.local_closed = False
        self._handler: Handler | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._queue: deque[Message] = deque()
        self._offset = 0
        """Of the first message in the queue: what is out already."""
        self._trailers: bytes | None = None
        """Set when the stream ends as soon as its queue is empty."""
        self._wants_drained = False
        self._buffer = bytearray()
        self._needed = PREFIX
        """A message is looked at again when so many bytes of it are there."""
        self._got = 0

    @property
    def peer(self) -> Peer:
        return self._connection.peer

    @property
    def waiting(self) -> bool:
        """Some of what was sent has not left: the client, or the network, is slow. After a yes
        `Handler.drained` is called when that is over."""
        self._wants_drained = bool(self._queue) or self._connection.paused
        return self._wants_drained

    @property
    def is_partial(self) -> bool:
        """The beginning of a message came whose rest is missing."""
        return bool(self._buffer)

    def send(self, message: Message) -> None:
        """Now if nothing is in the way, otherwise as soon as windows and socket allow it; nothing
        when the stream is over."""
        connection, size = self._connection, message.size
        if (
            not self._queue
            and size <= self.window
            and size <= connection.window
            and size <= connection.chunk
            and not connection.paused
            and not self.local_closed
            and self._trailers is None
        ):
            self.window -= size
            connection.window -= size
            connection.useless.allowed += FRAMES_PER_MESSAGE
            connection.write(message.wire(self.id))
        elif not self.local_closed and self._trailers is None:
            self._queue.append(message)
            self.pump()

    def end(self, status: Status = Status.OK, message: str = "") -> None:
        """End the call once everything sent has left. The first end counts."""
        if self.local_closed or self._trailers is not None:
            return
        block = literal(b"grpc-status", b"%d" % status)
        if message:
            block += literal(b"grpc-message", percent_encoded(message))
        self._trailers = block
        self.pump()

    def pump(self) -> None:
        """Send what may be sent now."""
        while self._queue and not self._connection.paused:
            if not self._send_part(self._queue[0]):
                return
        if self._queue or self._connection.paused:
            return
        if self._trailers is not None:
            self._finish(self._trailers)
        elif self._wants_drained:
            self._wants_drained = False
            self._call_drained()

    def _send_part(self, message: Message) -> bool:
        """A part of a message, as large as possible; whole frames go out as they are in `wire`,
        without a copy."""
        connection, offset = self._connection, self._offset
        room = min(self.window, connection.window, connection.chunk)
        size = min(message.size - offset, room)
        if size <= 0:
            return False
        whole = offset + size == message.size
        if offset % MAX_FRAME == 0 and (whole or size >= MAX_FRAME):
            size -= 0 if whole else size % MAX_FRAME
            end = Message.wire_offset(offset + size)
            if (offset + size) % MAX_FRAME:
                end += HEADER
            connection.write(memoryview(message.wire(self.id))[Message.wire_offset(offset) : end])
        else:
            size = min(size, MAX_FRAME - offset % MAX_FRAME)
            part = memoryview(message.payload)[offset : offset + size]
            connection.writelines((frame_header(size, DATA, 0, self.id), part))
        self.window -= size
        connection.window -= size
        connection.useless.allowed += FRAMES_PER_MESSAGE * (size // MAX_FRAME)
        self._offset += size
        if self._offset == message.size:
            connection.useless.allowed += FRAMES_PER_MESSAGE
            self._queue.popleft()
            self._offset = 0
        return True

    def _refuse(self) -> None:
        """The answer to a request that is no gRPC."""
        self._connection.write(frame(HEADERS, END_HEADERS, self.id, NO_GRPC))
        self._queue.append(Message(b"This server speaks gRPC only.\n", prefixed=False))
        self._trailers = b""
        self.pump()

    def _finish(self, trailers: bytes) -> None:
        if not self.head.is_grpc:
            self._connection.write(frame(DATA, END_STREAM, self.id))
            self._connection.drop(self)
            return
        started = self._handler is not None
        block = trailers if started else RESPONSE_HEAD + trailers
        self._connection.write(frame(HEADERS, END_STREAM | END_HEADERS, self.id, block))
        if not self.remote_closed:  # As gRPC does it: the client shall stop sending.
            self._connection.write(rst_stream(self.id, ErrorCode.NO_ERROR))
        self._connection.drop(self)

    def begin(self, handler: Handler) -> None:
        """Answer with headers; messages go to the handler from now on."""
        self._handler = handler
        self._connection.write(frame(HEADERS, END_HEADERS, self.id, RESPONSE_HEAD))
        if self.head.timeout is not None:
            self._deadline = asyncio.get_running_loop().call_later(
                self.head.timeout, self.end, Status.DEADLINE_EXCEEDED, "deadline exceeded"
            )

    def resize_window(self, difference: int) -> bool:
        """False when it would be larger than windows may be; it may get negative."""
        self.window += difference
        return self.window <= MAX_WINDOW

    def take(self, payload: bytes) -> bytes | None:
        """Bytes of DATA. When they are one whole message, which nearly all are, that message is
        returned too. Raises StreamFault, ConnectionFault."""
        self._got += len(payload)
        wanted = self.head.content_length
        if wanted is not None and self._got > wanted:
            raise StreamFault(ErrorCode.PROTOCOL_ERROR, "content-length", self.id)
        if not self.head.is_grpc:
            return None
        if not self._buffer:
            size = len(payload)
            if size > PREFIX and not payload[0] and size == self._size_of(payload, 0) + PREFIX:
                body = payload[PREFIX:]
                self.deliver(body)
                return body
        self._connection.hold(len(payload))
        self._buffer += payload
        if len(self._buffer) >= self._needed:
            self._split()
        return None

    def _size_of(self, data: bytes | bytearray, at: int) -> int:
        return int.from_bytes(data[at + 1 : at + PREFIX], "big")

    def _split(self) -> None:
        """Deliver the messages that are whole, keep the rest."""
        data, at, end = self._buffer, 0, len(self._buffer)
        self._needed = PREFIX
        while end - at >= PREFIX and not self.local_closed:
            size = self._size_of(data, at)
            if data[at] or size > self._connection.limits.message:
                problem = (
                    (Status.UNIMPLEMENTED, "compressed messages are not supported")
                    if data[at]
                    else (Status.RESOURCE_EXHAUSTED, "the message is too large")
                )
                self.end(*problem)
                at = end
                break
            if not size:
                self._connection.useless.count()
            if end - at - PREFIX < size:
                self._needed = size + PREFIX
                break
            self.deliver(bytes(data[at + PREFIX : at + PREFIX + size]))
            at += PREFIX + size
        if at:
            del data[:at]
            self._connection.hold(-at)

    def deliver(self, body: bytes) -> None:
        """A whole message to the handler; nobody gets what comes after the end."""
        if self._handler is None or self.local_closed or self._trailers is not None:
            return
        try:
            self._handler.received(body)
        except Exception:
            self._broken()

    def close_remote(self) -> None:
        """The client sends no more. Raises StreamFault."""
        if self.remote_closed:
            raise StreamFault(ErrorCode.STREAM_CLOSED, "the stream is closed", self.id)
        self.remote_closed = True
        wanted = self.head.content_length
        if wanted is not None and self._got != wanted:
            raise StreamFault(ErrorCode.PROTOCOL_ERROR, "content-length", self.id)
        if not self.head.is_grpc:
            self._refuse()
        elif self._buffer:
            self.end(Status.INTERNAL, "the last message is not whole")
        elif self._handler is not None and not self.local_closed:
            try:
                self._handler.half_closed()
            except Exception:
                self._broken()

    def close(self) -> None:
        """The stream is over: nothing more is sent or delivered."""
        self._connection.hold(-len(self._buffer))
        self._buffer = bytearray()
        self._queue.clear()
        self.local_closed = True
        if self._deadline is not None:
            self._deadline.cancel()
        handler, self._handler = self._handler, None
        if handler is not None:
            try:
                handler.closed()
            except Exception:
                log.exception("closing %s failed", self.head.path)

    def _call_drained(self) -> None:
        if self._handler is not None:
            try:
                self._handler.drained()
            except Exception:
                self._broken()

    def _broken(self) -> None:
        """A bug in the handler: its stream ends, the connection goes on."""
        log.exception("%s failed", self.head.path)
        self.end(Status.INTERNAL, "internal error")
