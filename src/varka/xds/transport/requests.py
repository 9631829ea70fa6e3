"""HEADERS and CONTINUATION: how streams begin, and the trailers of clients."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from varka.xds.transport import frames
from varka.xds.transport.frames import ConnectionFault, ErrorCode, StreamFault
from varka.xds.transport.headers import HeaderBlock, RequestHead, headers_payload
from varka.xds.transport.status import Status
from varka.xds.transport.stream import Stream

if TYPE_CHECKING:
    from varka.xds.transport.connection import Connection

log = logging.getLogger(__name__)


def headers(connection: Connection, id_: int, flags: int, payload: bytes) -> None:
    if id_ % 2 == 0:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a client's streams have odd ids")
    connection.block = HeaderBlock(id_, flags)
    _add(connection, flags, headers_payload(id_, flags, payload))


def continuation(connection: Connection, id_: int, flags: int, payload: bytes) -> None:
    connection.useless.count()
    _add(connection, flags, payload)


def _add(connection: Connection, flags: int, payload: bytes) -> None:
    block = connection.block
    if block is None:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "no header block is open")
    block.add(payload, connection.limits.header_block)
    if flags & frames.END_HEADERS:
        connection.block = None
        stream = connection.streams.get(block.stream)
        if stream is not None:
            _trailers(connection, stream, bytes(block.data), block.ends)
        else:
            _open(connection, block.stream, bytes(block.data), block.ends)


def _trailers(connection: Connection, stream: Stream, block: bytes, ends: bool) -> None:
    connection.decoder.trailers(block, stream.id)
    if stream.remote_closed:
        raise ConnectionFault(ErrorCode.STREAM_CLOSED, "the stream is closed")
    if not ends:
        raise StreamFault(ErrorCode.PROTOCOL_ERROR, "trailers must end a stream", stream.id)
    stream.close_remote()


def _open(connection: Connection, id_: int, block: bytes, ends: bool) -> None:
    if id_ <= connection.last_stream:
        if id_ in connection.resets and not connection.resets[id_]:
            connection.decoder.trailers(block, id_)
            return  # It was closed from here: what was on its way is let go.
        code = ErrorCode.STREAM_CLOSED if id_ in connection.resets else ErrorCode.PROTOCOL_ERROR
        raise ConnectionFault(code, "the stream id was used before")
    connection.last_stream = id_
    connection.useless.count()
    head = connection.decoder.request(block, id_)
    if len(connection.streams) >= connection.limits.streams or connection.leaving:
        raise StreamFault(ErrorCode.REFUSED_STREAM, "too many streams", id_)
    stream = connection.streams[id_] = Stream(connection, id_, head, connection.initial_window)
    _begin(connection, stream, head)
    if ends:
        stream.close_remote()


def _begin(connection: Connection, stream: Stream, head: RequestHead) -> None:
    if not head.is_grpc:
        return  # The stream answers when the request is complete.
    method = connection.shared.methods.get(head.path)
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
