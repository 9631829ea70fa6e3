"""Who is at the other end of a connection."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

from msgspec import Struct

_CREDENTIALS = struct.Struct("3i")


class Peer(Struct, frozen=True):
    """`address` is `host:port`, or "" for Unix sockets. `pid` and `uid` are what the kernel says of
    the process that opened a Unix socket, None elsewhere. `uris` are the URI SANs of a client
    certificate that was verified against the roots; without such a certificate there are none."""

    address: str = ""
    pid: int | None = None
    uid: int | None = None
    tls: bool = False
    uris: tuple[str, ...] = ()


def peer_of(transport: asyncio.BaseTransport) -> Peer:
    """What the socket under a transport tells of its other end."""
    found: Any = transport.get_extra_info("socket")
    if found is not None and found.family == socket.AF_UNIX:
        size = _CREDENTIALS.size
        raw = found.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        pid, uid, _ = _CREDENTIALS.unpack(raw)
        return Peer(pid=pid, uid=uid)
    name = transport.get_extra_info("peername")
    address = f"{name[0]}:{name[1]}" if isinstance(name, tuple) else ""
    tls: Any = transport.get_extra_info("ssl_object")
    if tls is None:
        return Peer(address)
    names = (tls.getpeercert() or {}).get("subjectAltName", ())
    return Peer(address, tls=True, uris=tuple(value for kind, value in names if kind == "URI"))
