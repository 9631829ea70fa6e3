"""One HTTP/2 connection: frames in, a window and streams, frames out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, cast

from varka.xds.transport import frames
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
from varka.xds.transport.headers import HeaderBlock, HeaderDecoder, RequestHead, headers_payload
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
_SMALL_UPDATE = 1024


class Connection(asyncio.Protocol):
    """Parses what the client sends. What a client does wrong is a ConnectionFault or StreamFault;
    both are answered and logged, neither leaves this class."""

    __slots__ = (
        "_block",
        "_buffer",
        "_credit",
        "_decoder",
        "_greeted",
        "_initial_window",
        "_last",
        "_leaving",
        "_life",
        "_resets",
        "_settled",
        "_shared",
        "_transport",
        "_unfinished",
        "chunk",
        "closed",
        "limits",
        "paused",
        "peer",
        "streams",
        "useless",
        "window",
        "write",
        "writelines",
    )

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self.limits = shared.limits
        self.streams: dict[int, Stream] = {}
        self.window = DEFAULT_WINDOW
        self.paused = False
        self.closed = False
        self.useless = UselessFrames(shared.limits)
        self.peer = Peer()
        self._decoder = HeaderDecoder(shared.limits, shared.first_blocks)
        self._buffer = b""
        self._greeted = self._settled = False
        self._initial_window = DEFAULT_WINDOW
        self._credit = self._unfinished = self._last = 0
        self._block: HeaderBlock | None = None
        """The one that CONTINUATION goes on with."""
        self._resets: dict[int, bool] = {}
        """Streams that ended lately; whether the client knew that it was over."""
        self._life = shared.new_life()
        self._leaving = False

    # What the socket tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.write: Callable[[bytes | memoryview], None] = self._transport.write
        self.writelines: Callable[[Iterable[bytes | memoryview]], None]
        self.writelines = self._transport.writelines
        self.peer = peer_of(transport)
        self.chunk = _TLS_CHUNK if self.peer.tls else MAX_WINDOW
        self._transport.set_write_buffer_limits(_TLS_CHUNK if self.peer.tls else _PLAIN_BUFFER)
        if self._shared.admit(self):
            self.write(self._shared.hello)
        else:
            self.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        for stream in tuple(self.streams.values()):
            self.drop(stream)
        self._shared.forget(self)

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        self._pump()

    def eof_received(self) -> bool:
        """Who sends no more can acknowledge nothing: there is nothing to serve."""
        return False

    def data_received(self, data: bytes) -> None:
        self._life.hear()
        if not self._buffer and self._block is None:
            known = self._shared.known_reads.get(data)
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
                    self._shared.remember(data, length, id_, body)
            at = after
        if at < end and not self.closed:
            self._buffer = data[at:]

    def _frame(self, kind: int, flags: int, id_: int, payload: bytes) -> bytes | None:
        """Handle one frame; a whole message that it consisted of."""
        if self._block is not None and (kind != frames.CONTINUATION or id_ != self._block.stream):
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
            self._must_be_opened(id_)
            self.useless.count()
            self._count(None, length)
            if stream is not None or self._resets.get(id_, True):
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

    def _headers(self, id_: int, flags: int, payload: bytes) -> None:
        if id_ % 2 == 0:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a client's streams have odd ids")
        self._block = HeaderBlock(id_, flags)
        self._add_to_block(flags, headers_payload(id_, flags, payload))

    def _continuation(self, id_: int, flags: int, payload: bytes) -> None:
        self.useless.count()
        self._add_to_block(flags, payload)

    def _add_to_block(self, flags: int, payload: bytes) -> None:
        block = self._block
        if block is None:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "no header block is open")
        block.add(payload, self.limits.header_block)
        if flags & frames.END_HEADERS:
            self._block = None
            stream = self.streams.get(block.stream)
            if stream is not None:
                self._trailers(stream, bytes(block.data), block.ends)
            else:
                self._open(block.stream, bytes(block.data), block.ends)

    def _trailers(self, stream: Stream, block: bytes, ends: bool) -> None:
        self._decoder.trailers(block, stream.id)
        if stream.remote_closed:
            raise ConnectionFault(ErrorCode.STREAM_CLOSED, "the stream is closed")
        if not ends:
            raise StreamFault(ErrorCode.PROTOCOL_ERROR, "trailers must end a stream", stream.id)
        stream.close_remote()

    def _open(self, id_: int, block: bytes, ends: bool) -> None:
        if id_ <= self._last:
            if id_ in self._resets and not self._resets[id_]:
                self._decoder.trailers(block, id_)
                return  # It was closed from here: what was on its way is let go.
            code = ErrorCode.STREAM_CLOSED if id_ in self._resets else ErrorCode.PROTOCOL_ERROR
            raise ConnectionFault(code, "the stream id was used before")
        self._last = id_
        self.useless.count()
        head = self._decoder.request(block, id_)
        if len(self.streams) >= self.limits.streams or self._leaving:
            raise StreamFault(ErrorCode.REFUSED_STREAM, "too many streams", id_)
        stream = self.streams[id_] = Stream(self, id_, head, self._initial_window)
        self._begin(stream, head)
        if ends:
            stream.close_remote()

    def _begin(self, stream: Stream, head: RequestHead) -> None:
        if not head.is_grpc:
            return  # The stream answers when the request is complete.
        method = self._shared.methods.get(head.path)
        if method is None:
            stream.end(Status.UNIMPLEMENTED, f"no method {head.path}")
            return
        try:
            handler = method(stream)
        except Exception:
            log.exception("%s failed", head.path)
            stream.end(Status.INTERNAL, "internal error")
        else:
            stream.begin(handler)

    def _priority(self, id_: int, _: int, payload: bytes) -> None:
        if id_ == 0:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "PRIORITY on stream 0")
        if len(payload) != 5:
            raise StreamFault(ErrorCode.FRAME_SIZE_ERROR, "PRIORITY", id_)
        if int.from_bytes(payload[:4], "big") & MAX_WINDOW == id_:
            raise StreamFault(ErrorCode.PROTOCOL_ERROR, "the stream depends on itself", id_)
        self.useless.count()

    def _rst_stream(self, id_: int, _: int, payload: bytes) -> None:
        if len(payload) != 4:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "RST_STREAM")
        self._must_be_opened(id_)
        self.useless.count()
        if id_ in self.streams:
            self.drop(self.streams[id_])
        self._resets[id_] = True

    def _settings(self, id_: int, flags: int, payload: bytes) -> None:
        if id_:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "SETTINGS on a stream")
        if flags & frames.ACK:
            if payload:
                raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "SETTINGS")
            return
        if len(payload) % 6 or len(payload) > 100 * 6:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "SETTINGS")
        self.useless.count()
        for at in range(0, len(payload), 6):
            key = int.from_bytes(payload[at : at + 2], "big")
            self._set(key, int.from_bytes(payload[at + 2 : at + 6], "big"))
        self.write(frames.frame(frames.SETTINGS, frames.ACK, 0))
        self._pump()

    def _set(self, key: int, value: int) -> None:
        if key == frames.INITIAL_WINDOW:
            if value > MAX_WINDOW:
                raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "INITIAL_WINDOW_SIZE")
            for stream in self.streams.values():
                if not stream.resize_window(value - self._initial_window):
                    raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "INITIAL_WINDOW_SIZE")
            self._initial_window = value
        elif key == frames.ENABLE_PUSH and value > 1:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "ENABLE_PUSH")
        elif key == frames.FRAME_SIZE and not MAX_FRAME <= value < 1 << 24:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "MAX_FRAME_SIZE")

    def _ping(self, id_: int, flags: int, payload: bytes) -> None:
        if id_:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "PING on a stream")
        if len(payload) != 8:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "PING")
        if flags & frames.ACK:
            return
        self.useless.count()
        if not self.paused:  # Who does not read gets no answers that pile up.
            self.write(frames.frame(frames.PING, frames.ACK, 0, payload))

    def _window_update(self, id_: int, _: int, payload: bytes) -> None:
        if len(payload) != 4:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "WINDOW_UPDATE")
        increment = int.from_bytes(payload, "big") & MAX_WINDOW
        if increment < _SMALL_UPDATE:
            self.useless.count()
        if id_ == 0:
            if not increment:
                raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "an increment of 0")
            self.window += increment
            if self.window > MAX_WINDOW:
                raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "the window is too large")
            self._pump()
            return
        self._must_be_opened(id_)
        stream = self.streams.get(id_)
        if stream is None:
            return
        if not increment:
            raise StreamFault(ErrorCode.PROTOCOL_ERROR, "an increment of 0", id_)
        if not stream.resize_window(increment):
            raise StreamFault(ErrorCode.FLOW_CONTROL_ERROR, "the window is too large", id_)
        stream.pump()

    def _goaway(self, id_: int, _: int, __: bytes) -> None:
        if id_:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "GOAWAY on a stream")

    def _push_promise(self, _: int, __: int, ___: bytes) -> None:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a client can't push")

    # Windows and faults.

    def _must_be_opened(self, id_: int) -> None:
        if id_ == 0 or id_ % 2 == 0 or id_ > self._last:
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

    def _pump(self) -> None:
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
        self._resets[stream.id] = stream.remote_closed
        if len(self._resets) > _REMEMBERED_RESETS:
            del self._resets[next(iter(self._resets))]
        stream.close()
        if self._leaving and not self.streams:
            self._close()

    def _fail(self, fault: ConnectionFault) -> None:
        if self.closed:
            return
        self.closed = True
        log.info("%s: %s (%s)", self.peer.address or "a socket", fault, fault.code.name)
        self.write(frames.goaway(self._last, fault.code, str(fault)))
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
        if self.closed or self._leaving:
            return
        self._leaving = True
        self.write(frames.goaway(self._last, ErrorCode.NO_ERROR, reason))
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
        match self._life.due(now, requested=self._last > 0):
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
    frames.HEADERS: Connection._headers,
    frames.PRIORITY: Connection._priority,
    frames.RST_STREAM: Connection._rst_stream,
    frames.SETTINGS: Connection._settings,
    frames.PUSH_PROMISE: Connection._push_promise,
    frames.PING: Connection._ping,
    frames.GOAWAY: Connection._goaway,
    frames.WINDOW_UPDATE: Connection._window_update,
    frames.CONTINUATION: Connection._continuation,
}
