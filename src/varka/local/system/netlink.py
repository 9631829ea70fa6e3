"""Netlink: messages as bytes, and a socket that sends a batch of them and waits for the kernel's
answers. No event loop: usable right after a fork.

The wire format is the kernel's (Documentation/userspace-api/netlink/intro.rst): a header, a fixed
part, then attributes of length, type and value. A general library spends half a millisecond on a
rule; the tables of a mesh have thousands.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterable, Sequence
from typing import Self

from msgspec import Struct

NLM_F_REQUEST, NLM_F_ACK, NLM_F_REPLACE, NLM_F_EXCL, NLM_F_CREATE, NLM_F_APPEND = (
    1,
    4,
    0x100,
    0x200,
    0x400,
    0x800,
)
NLMSG_ERROR = 2

_NESTED = 0x8000
_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded to four bytes."""
    length = _ATTRIBUTE.size + len(value)
    return _ATTRIBUTE.pack(length, kind) + value + bytes(-length % 4)


def text(kind: int, value: str) -> bytes:
    """An attribute with a string that ends with a zero byte."""
    return attribute(kind, value.encode() + b"\0")


def nested(kind: int, attributes: Iterable[bytes]) -> bytes:
    """An attribute that holds others."""
    return attribute(kind | _NESTED, b"".join(attributes))


class Request(Struct, frozen=True):
    """A message to the kernel. `body` is its fixed part and its attributes; `what` names it in
    errors."""

    what: str
    kind: int
    flags: int
    body: bytes

    def encoded(self, number: int) -> bytes:
        """Its bytes under a sequence number."""
        length = _HEADER.size + len(self.body)
        return _HEADER.pack(length, self.kind, self.flags | NLM_F_REQUEST, number, 0) + self.body


class Netlink:
    """A netlink socket of the network namespace in which it is opened."""

    def __init__(self, protocol: int) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol
        )
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.bind((0, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, requests: Sequence[Request]) -> None:
        """Send them as one batch and wait until each that asks for it is acknowledged. Raises
        OSError for the first that the kernel refuses, with its name."""
        numbered = list(enumerate(requests, start=1))
        self._socket.send(b"".join(request.encoded(number) for number, request in numbered))
        awaited = {number for number, request in numbered if request.flags & NLM_F_ACK}
        while awaited:
            for kind, number, payload in _split(self._socket.recv(1 << 18)):
                if kind != NLMSG_ERROR:
                    continue
                (code,) = struct.unpack_from("=i", payload)
                if code:
                    what = requests[number - 1].what if 0 < number <= len(requests) else "netlink"
                    raise OSError(-code, f"{what}: {os.strerror(-code)}")
                awaited.discard(number)


def _split(data: bytes) -> Iterable[tuple[int, int, bytes]]:
    offset = 0
    while offset + _HEADER.size <= len(data):
        length, kind, _, number, _ = _HEADER.unpack_from(data, offset)
        yield kind, number, data[offset + _HEADER.size : offset + length]
        offset += (length + 3) & ~3
