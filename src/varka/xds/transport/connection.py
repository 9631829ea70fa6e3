"""One HTTP/2 connection: frames in, a window and streams, frames out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, cast

from varka.xds.transport import control, frames, requests
from varka.xds.transport.frames import (
    DATA,
    DEFAULT_WINDOW,
    HEADER,
    MAX_FRAME,
    MAX_WINDOW,
    PREFACE,
    ConnectionFault,
    ErrorCode,
    StreamFault,
)
from varka.xds.transport.headers import HeaderBlock, HeaderDecoder
from varka.xds.transport.life import Due
from varka.xds.transport.limits import UselessFrames
from varka.xds.transport.peer import Peer, peer_of
from varka.xds.transport.status import Status
from varka.xds.transport.stream import Stream

if TYPE_CHECKING:
    from varka.xds.transport.server import Shared

log = logging.getLogger(__name__)

_PLAIN_BUFFER = 256 << 10
"""Bytes that wait in the socket's buffer before it asks to pause."""
_TLS_CHUNK = 64 << 10
"""The same for TLS, which encrypts at once whatever it is given: a large message at a time would
be held twice."""
_REMEMBERED_RESETS = 200


class Connection(asyncio.Protocol):
    """Parses what the client sends; `control` and `requests` say what its frames mean. What a
    client does wrong is a ConnectionFault or StreamFault: both are answered, neither leaves this
    class."""

    __slots__ = (
        "_buffer",
        "_credit",
        "_greeted",
        "_life",
        "_settled",
        "_transport",
        "_unfinished",
        "block",
        "chunk",
        "closed",
        "decoder",
        "initial_window",
        "last_stream",
        "leaving",
        "limits",
        "paused",
        "peer",
        "resets",
        "shared",
        "streams",
        "useless",
        "window",
        "write",
        "writelines",
    )

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.limits = shared.limits
        self.streams: dict[int, Stream] = {}
        self.window = DEFAULT_WINDOW
        self.paused = False
        self.closed = False
        self.useless = UselessFrames(shared.limits)
        self.peer = Peer()
        self.decoder = HeaderDecoder(shared.limits, shared.first_blocks)
        self._buffer = b""
        self._greeted = self._settled = False
        self.initial_window = DEFAULT_WINDOW
        self._credit = self._unfinished = self.last_stream = 0
        self.block: HeaderBlock | None = None
        """The one that CONTINUATION goes on with."""
        self.resets: dict[int, bool] = {}
        """Streams that ended lately; whether the client knew that it was over."""
        self._life = shared.new_life()
        self.leaving = False

    # What the socket tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.write: Callable[[bytes | memoryview], None] = self._transport.write
        self.writelines: Callable[[Iterable[bytes | memoryview]], None]
        self.writelines = self._transport.writelines
        self.peer = peer_of(transport)
        self.chunk = _TLS_CHUNK if self.peer.tls else MAX_WINDOW
        self._transport.set_write_buffer_limits(_TLS_CHUNK if self.peer.tls else _PLAIN_BUFFER)
        if self.shared.admit(self):
            self.write(self.shared.hello)
        else:
            self.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        for stream in tuple(self.streams.values()):
            self.drop(stream)
        self.shared.forget(self)

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        self.pump()

    def eof_received(self) -> bool:
        """Who sends no more can acknowledge nothing: there is nothing to serve."""
        return False

    def data_received(self, data: bytes) -> None:
        self._life.hear()
        if not self._buffer and self.block is None:
            known = self.shared.known_reads.get(data)
            if known is not None:
                length, id_, body = known
                stream = self.streams.get(id_)
                if stream is not None and not stream.remote_closed and not stream.is_partial:
                    self._count(stream, length)
                    stream.deliver(body)
                    return
        if not self.closed:
            self._guarded(self._parse, data)

    # Frames in.

    def _guarded(self, parse: Callable[[bytes], None], data: bytes) -> None:
        try:
            parse(data)
        except ConnectionFault as fault:
            self._fail(fault)
        except Exception:
            log.exception("a bug in reading from %s", self.peer.address or "a socket")
            self._fail(ConnectionFault(ErrorCode.INTERNAL_ERROR, "internal error"))

    def _parse(self, data: bytes) -> None:
        if self._buffer:
            data, self._buffer = self._buffer + data, b""
        at, end = 0, len(data)
        if not self._greeted:
            if data[: len(PREFACE)] != PREFACE[:end]:
                raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "this is not HTTP/2")
            if end < len(PREFACE):
                self._buffer = data
                return
            self._greeted, at = True, len(PREFACE)
        alone = at == 0
        while end - at >= HEADER and not self.closed:
            length = int.from_bytes(data[at : at + 3], "big")
            if length > MAX_FRAME:
                raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "the frame is too large")
            after = at + HEADER + length
            if after > end:
                break
            kind, flags = data[at + 3], data[at + 4]
            id_ = int.from_bytes(data[at + 5 : at + HEADER], "big") & MAX_WINDOW
            payload = data[at + HEADER : after]
            try:
                body = self._frame(kind, flags, id_, payload)
            except StreamFault as fault:
                self._reset(fault)
            else:
                if body is not None and alone and at == 0 and after == end and flags == 0:
                    self.shared.remember(data, length, id_, body)
            at = after
        if at < end and not self.closed:
            self._buffer = data[at:]

    def _frame(self, kind: int, flags: int, id_: int, payload: bytes) -> bytes | None:
        """Handle one frame; a whole message that it consisted of."""
        if self.block is not None and (kind != frames.CONTINUATION or id_ != self.block.stream):
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "CONTINUATION expected")
        if not self._settled:
            if kind != frames.SETTINGS or flags & frames.ACK:
                raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "SETTINGS expected")
            self._settled = True
        if kind == DATA:
            return self._data(id_, flags, payload)
        handle = _FRAMES.get(kind)
        if handle is None:
            self.useless.count()
        else:
            handle(self, id_, flags, payload)
        return None

    def _data(self, id_: int, flags: int, payload: bytes) -> bytes | None:
        length, stream = len(payload), self.streams.get(id_)
        if stream is None or stream.remote_closed:
            self.must_be_opened(id_)
            self.useless.count()
            self._count(None, length)
            if stream is not None or self.resets.get(id_, True):
                raise StreamFault(ErrorCode.STREAM_CLOSED, "the stream is closed", id_)
            return None  # It was closed from here: what was on its way is let go.
        if flags & frames.PADDED:
            payload = frames.unpadded(flags, payload)
        self._count(stream, length)
        if not payload and not flags & frames.END_STREAM:
            self.useless.count()
        body = stream.take(payload) if payload else None
        if flags & frames.END_STREAM:
            stream.close_remote()
        return body

    # Windows and faults.

    def must_be_opened(self, id_: int) -> None:
        if id_ == 0 or id_ % 2 == 0 or id_ > self.last_stream:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "the stream was never opened")

    def _count(self, stream: Stream | None, length: int) -> None:
        """Bytes of DATA came: give the windows back by halves. Raises ConnectionFault,
        StreamFault."""
        window = self.limits.window
        self._credit += length
        if self._credit > window:
            raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "more than the connection's window")
        if stream is not None:
            stream.credit += length
            if stream.credit > window:
                raise StreamFault(ErrorCode.FLOW_CONTROL_ERROR, "more than the window", stream.id)
            if stream.credit >= window // 2 and not stream.remote_closed:
                self.write(frames.window_update(stream.id, stream.credit))
                stream.credit = 0
        if self._credit >= window // 2:
            self.write(frames.window_update(0, self._credit))
            self._credit = 0

    def hold(self, size: int) -> None:
        """So many more bytes of unfinished messages are held; less when negative. Raises
        ConnectionFault."""
        self._unfinished += size
        if self._unfinished > self.limits.unfinished:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "too many unfinished messages")

    def pump(self) -> None:
        for stream in tuple(self.streams.values()):
            stream.pump()

    def _reset(self, fault: StreamFault) -> None:
        self.write(frames.rst_stream(fault.stream, fault.code))
        stream = self.streams.get(fault.stream)
        if stream is not None:
            self.drop(stream)

    def drop(self, stream: Stream) -> None:
        """A stream is over. What the client sent before it knew of that is let go."""
        if self.streams.pop(stream.id, None) is None:
            return
        self.resets[stream.id] = stream.remote_closed
        if len(self.resets) > _REMEMBERED_RESETS:
            del self.resets[next(iter(self.resets))]
        stream.close()
        if self.leaving and not self.streams:
            self._close()

    def _fail(self, fault: ConnectionFault) -> None:
        if self.closed:
            return
        self.closed = True
        log.info("%s: %s (%s)", self.peer.address or "a socket", fault, fault.code.name)
        self.write(frames.goaway(self.last_stream, fault.code, str(fault)))
        for stream in tuple(self.streams.values()):
            self.drop(stream)
        self._close()

    def _close(self) -> None:
        """Let what was written go out, for a second at most."""
        self.closed = True
        self._transport.close()

    # Its life, as the server decides.

    def leave(self, reason: str) -> None:
        """Ask the client to go elsewhere: no new streams; those that are open end by themselves or
        by `end_streams`. Without any the connection is closed."""
        if self.closed or self.leaving:
            return
        self.leaving = True
        self.write(frames.goaway(self.last_stream, ErrorCode.NO_ERROR, reason))
        if not self.streams:
            self._close()

    def end_streams(self, reason: str) -> None:
        for stream in tuple(self.streams.values()):
            stream.end(Status.UNAVAILABLE, reason)

    def abort(self) -> None:
        """Close at once, whatever waits."""
        self._transport.abort()

    def tick(self, now: float) -> None:
        """Called about once a second."""
        if self.closed:
            self.abort()  # What was written last had its time.
            return
        match self._life.due(now, requested=self.last_stream > 0):
            case Due.REFUSE:
                self._fail(ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "no request came"))
            case Due.PING:
                self.write(frames.frame(frames.PING, 0, 0, bytes(8)))
            case Due.ASK_TO_LEAVE:
                self.leave("max age")
            case Due.END_STREAMS:
                self.end_streams("the connection is too old: connect again")
            case Due.GIVE_UP:
                log.info("%s is given up", self.peer.address or "a socket")
                self.abort()


_Handle = Callable[[Connection, int, int, bytes], None]
_FRAMES: dict[int, _Handle] = {
    frames.HEADERS: requests.headers,
    frames.PRIORITY: control.priority,
    frames.RST_STREAM: control.rst_stream,
    frames.SETTINGS: control.settings,
    frames.PUSH_PROMISE: control.push_promise,
    frames.PING: control.ping,
    frames.GOAWAY: control.goaway,
    frames.WINDOW_UPDATE: control.window_update,
    frames.CONTINUATION: requests.continuation,
}
