"""Frames that carry no request: what each asks of a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from varka.xds.transport import frames
from varka.xds.transport.frames import (
    MAX_FRAME,
    MAX_WINDOW,
    ConnectionFault,
    ErrorCode,
    StreamFault,
)

if TYPE_CHECKING:
    from varka.xds.transport.connection import Connection

_SMALL_UPDATE = 1024
"""Smaller increments of a window are counted as useless."""


def priority(connection: Connection, id_: int, _: int, payload: bytes) -> None:
    if id_ == 0:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "PRIORITY on stream 0")
    if len(payload) != 5:
        raise StreamFault(ErrorCode.FRAME_SIZE_ERROR, "PRIORITY", id_)
    if int.from_bytes(payload[:4], "big") & MAX_WINDOW == id_:
        raise StreamFault(ErrorCode.PROTOCOL_ERROR, "the stream depends on itself", id_)
    connection.useless.count()


def rst_stream(connection: Connection, id_: int, _: int, payload: bytes) -> None:
    if len(payload) != 4:
        raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "RST_STREAM")
    connection.must_be_opened(id_)
    connection.useless.count()
    if id_ in connection.streams:
        connection.drop(connection.streams[id_])
    connection.resets[id_] = True


def settings(connection: Connection, id_: int, flags: int, payload: bytes) -> None:
    if id_:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "SETTINGS on a stream")
    if flags & frames.ACK:
        if payload:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "SETTINGS")
        return
    if len(payload) % 6 or len(payload) > 100 * 6:
        raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "SETTINGS")
    connection.useless.count()
    for at in range(0, len(payload), 6):
        key = int.from_bytes(payload[at : at + 2], "big")
        _set(connection, key, int.from_bytes(payload[at + 2 : at + 6], "big"))
    connection.write(frames.frame(frames.SETTINGS, frames.ACK, 0))
    connection.pump()


def _set(connection: Connection, key: int, value: int) -> None:
    if key == frames.INITIAL_WINDOW:
        if value > MAX_WINDOW:
            raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "INITIAL_WINDOW_SIZE")
        for stream in connection.streams.values():
            if not stream.resize_window(value - connection.initial_window):
                raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "INITIAL_WINDOW_SIZE")
        connection.initial_window = value
    elif key == frames.ENABLE_PUSH and value > 1:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "ENABLE_PUSH")
    elif key == frames.FRAME_SIZE and not MAX_FRAME <= value < 1 << 24:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "MAX_FRAME_SIZE")


def ping(connection: Connection, id_: int, flags: int, payload: bytes) -> None:
    if id_:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "PING on a stream")
    if len(payload) != 8:
        raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "PING")
    if flags & frames.ACK:
        return
    connection.useless.count()
    if not connection.paused:  # Who does not read gets no answers that pile up.
        connection.write(frames.frame(frames.PING, frames.ACK, 0, payload))


def window_update(connection: Connection, id_: int, _: int, payload: bytes) -> None:
    if len(payload) != 4:
        raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "WINDOW_UPDATE")
    increment = int.from_bytes(payload, "big") & MAX_WINDOW
    if increment < _SMALL_UPDATE:
        connection.useless.count()
    if id_ == 0:
        if not increment:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "an increment of 0")
        connection.window += increment
        if connection.window > MAX_WINDOW:
            raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "the window is too large")
        connection.pump()
        return
    connection.must_be_opened(id_)
    stream = connection.streams.get(id_)
    if stream is None:
        return
    if not increment:
        raise StreamFault(ErrorCode.PROTOCOL_ERROR, "an increment of 0", id_)
    if not stream.resize_window(increment):
        raise StreamFault(ErrorCode.FLOW_CONTROL_ERROR, "the window is too large", id_)
    stream.pump()


def goaway(connection: Connection, id_: int, _: int, __: bytes) -> None:
    if id_:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "GOAWAY on a stream")


def push_promise(connection: Connection, _: int, __: int, ___: bytes) -> None:
    raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a client can't push")
