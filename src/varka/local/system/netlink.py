"""Netlink requests, encoded by pyroute2 and sent as one synchronous batch: no event loop, usable
right after a fork."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterable, Sequence
from typing import Any, Self

NLM_F_REQUEST, NLM_F_ACK, NLM_F_REPLACE, NLM_F_EXCL, NLM_F_CREATE, NLM_F_APPEND = (
    1,
    4,
    0x100,
    0x200,
    0x400,
    0x800,
)
NLMSG_ERROR = 2

_HEADER = struct.Struct("=IHHII")


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

    def send(self, messages: Sequence[Any]) -> None:
        """Send encoded-ready pyroute2 messages as one batch. Raises OSError for the first that the
        kernel refuses."""
        data, wanted = bytearray(), set()
        for number, message in enumerate(messages, start=1):
            message["header"]["sequence_number"] = number
            message.encode()
            data += message.data
            if message["header"]["flags"] & NLM_F_ACK:
                wanted.add(number)
        self._socket.send(data)
        while wanted:
            for kind, number, payload in _split(self._socket.recv(1 << 18)):
                if kind != NLMSG_ERROR:
                    continue
                (code,) = struct.unpack_from("=i", payload)
                if code:
                    raise OSError(
                        -code,
                        f"{type(messages[number - 1]).__name__} ({number} of {len(messages)}):"
                        f" {os.strerror(-code)}",
                    )
                wanted.discard(number)


def _split(data: bytes) -> Iterable[tuple[int, int, bytes]]:
    offset = 0
    while offset + _HEADER.size <= len(data):
        length, kind, _, number, _ = _HEADER.unpack_from(data, offset)
        yield kind, number, data[offset + _HEADER.size : offset + length]
        offset += (length + 3) & ~3


def request(
    message: Any, kind: int, header_flags: int, attributes: Iterable[tuple[str, Any]], **fields: Any
) -> Any:
    """Fill a pyroute2 message: its header, its fixed fields, its attributes."""
    message["header"]["type"] = kind
    message["header"]["flags"] = header_flags | NLM_F_REQUEST
    for name, value in fields.items():
        message[name] = value
    message["attrs"] = list(attributes)
    return message
