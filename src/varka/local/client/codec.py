"""The few bytes of gRPC and WebSocket that a client and an echo need, without IO."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from enum import IntEnum

from msgspec import Struct

ECHO_METHOD = "/varka.echo.v1.Echo/Echo"
"""Takes any message and answers `{string echo = 1; bytes message = 2}`: the echo object as JSON,
and the message it got."""

ECHO_HEADER = "x-varka-echo"
"""Carries the echo object where the body cannot: in a WebSocket's handshake, in a gRPC answer that
is only a status."""


class Opcode(IntEnum):
    """RFC 6455, 5.2."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class Frame(Struct, frozen=True):
    opcode: int
    payload: bytes
    final: bool = True


def accept_key(key: str) -> str:
    """The `sec-websocket-accept` that answers a `sec-websocket-key`."""
    digest = hashlib.sha1(
        f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode(), usedforsecurity=False
    ).digest()
    return base64.b64encode(digest).decode()


def encode_frame(frame: Frame, mask: bytes = b"") -> bytes:
    """A client gives four bytes of `mask`, a server none."""
    size, masked = len(frame.payload), 0x80 if mask else 0
    head = bytes([(0x80 if frame.final else 0) | frame.opcode])
    if size < 126:
        head += bytes([masked | size])
    elif size < 1 << 16:
        head += bytes([masked | 126]) + size.to_bytes(2)
    else:
        head += bytes([masked | 127]) + size.to_bytes(8)
    return head + mask + (_mask(frame.payload, mask) if mask else frame.payload)


def take_frames(buffer: bytearray) -> Iterator[Frame]:
    """Remove whole frames from the front of `buffer`."""
    while len(buffer) >= 2:
        size, at = buffer[1] & 0x7F, 2
        if size >= 126:
            width = 2 if size == 126 else 8
            at += width
            if len(buffer) < at:
                return
            size = int.from_bytes(buffer[2:at])
        mask = b""
        if buffer[1] & 0x80:
            mask = bytes(buffer[at : at + 4])
            at += 4
        if len(buffer) < at + size:
            return
        payload = bytes(buffer[at : at + size])
        opcode, final = buffer[0] & 0x0F, bool(buffer[0] & 0x80)
        del buffer[: at + size]
        yield Frame(opcode, _mask(payload, mask) if mask else payload, final)


def _mask(payload: bytes, mask: bytes) -> bytes:
    repeated = mask * (len(payload) // 4 + 1)
    key = int.from_bytes(repeated[: len(payload)])
    return (int.from_bytes(payload) ^ key).to_bytes(len(payload))


def encode_message(message: bytes) -> bytes:
    """A length-prefixed message of gRPC over HTTP/2, not compressed."""
    return b"\0" + len(message).to_bytes(4) + message


def take_messages(buffer: bytearray) -> Iterator[bytes]:
    """Remove whole messages from the front of `buffer`."""
    while len(buffer) >= 5:
        size = int.from_bytes(buffer[1:5])
        if len(buffer) < 5 + size:
            return
        message = bytes(buffer[5 : 5 + size])
        del buffer[: 5 + size]
        yield message


def encode_field(number: int, value: bytes) -> bytes:
    """A length-delimited protobuf field."""
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def read_field(message: bytes, number: int) -> bytes | None:
    """The first length-delimited field with that number; None where the message has none or is not
    protobuf."""
    at = 0
    try:
        while at < len(message):
            tag, at = _read_varint(message, at)
            if tag & 7 == 2:
                size, at = _read_varint(message, at)
                if tag >> 3 == number:
                    return message[at : at + size]
                at += size
            elif tag & 7 == 0:
                _, at = _read_varint(message, at)
            elif tag & 7 in (1, 5):
                at += 8 if tag & 7 == 1 else 4
            else:
                return None
    except IndexError:
        return None
    return None


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return value, at
        shift += 7
