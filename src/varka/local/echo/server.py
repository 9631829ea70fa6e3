"""Listens on the ports and gives each connection to the protocol that its port or its first bytes
name."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import traceback
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from varka.local.echo import http1, tcp
from varka.local.echo.answer import Answer, answer
from varka.local.echo.config import EchoConfig, IncomingRequest, Port
from varka.local.echo.stream import Gone, Incoming, Stream

# fmt: off
_METHODS = (
    b"GET ", b"HEAD ", b"POST ", b"PUT ", b"DELETE ", b"CONNECT ", b"OPTIONS ", b"TRACE ",
    b"PATCH ", b"COPY ", b"LOCK ", b"MKCOL ", b"MOVE ", b"PROPFIND ", b"PROPPATCH ",
    b"SEARCH ", b"UNLOCK ", b"BIND ", b"REBIND ", b"UNBIND ", b"ACL ", b"REPORT ",
    b"MKACTIVITY ", b"CHECKOUT ", b"MERGE ", b"M-SEARCH ", b"NOTIFY ", b"SUBSCRIBE ",
    b"UNSUBSCRIBE ", b"PURGE ", b"MKCALENDAR ", b"LINK ", b"UNLINK ",
)
# fmt: on
"""Those that the HTTP parser knows."""
_PREFACE = b"PRI * HTTP/2.0\r\n"
_SILENCE = 0.2
"""Seconds after which a client of a server-first protocol counts as waiting."""


async def serve(config: EchoConfig, ready: Callable[[], None] | None = None) -> None:
    """Until cancelled; `ready` is called when every port listens. Raises OSError when a port is
    taken."""
    context = _server_context(config)
    sockets = [(port, sock) for port in config.ports for sock in _listening(port.number)]
    async with asyncio.TaskGroup() as connections, AsyncExitStack() as stack:
        for port, sock in sockets:
            accept = _acceptor(config, port, connections)
            server = await asyncio.start_server(
                accept, sock=sock, ssl=context if port.secure else None
            )
            stack.callback(server.close)
        if ready is not None:
            ready()
        await asyncio.get_running_loop().create_future()


def _acceptor(
    config: EchoConfig, port: Port, connections: asyncio.TaskGroup
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
    async def answering(request: IncomingRequest) -> Answer:
        return await answer(config, request)

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.create_task(
            _serve_connection(Incoming(Stream(reader, writer), port.number, answering), port)
        )

    return accept


async def _serve_connection(incoming: Incoming, port: Port) -> None:
    try:
        protocol = await choose(incoming.stream, port)
        await protocol(incoming)
    except Gone:
        pass
    except Exception:
        # A bug that one connection finds must not take the others down.
        traceback.print_exc()
    finally:
        incoming.stream.close()


async def choose(stream: Stream, port: Port) -> Callable[[Incoming], Awaitable[None]]:
    """What a connection speaks:

    - on a port declared plain: TCP
    - the preface of HTTP/2: that, of whatever was declared
    - a method of HTTP/1, or anything on a port declared HTTP: HTTP/1
    - silence on a port of a server-first protocol: TCP, and the stand-in begins
    - all else (a TLS hello too, where no certificate is configured): TCP
    """
    if port.plain:
        return tcp.serve
    if port.server_first and not await stream.speaks_within(_SILENCE):
        return tcp.greet
    seen = await stream.peek(1)
    while _undecided(seen) and len(more := await stream.peek(len(seen) + 1)) > len(seen):
        seen = more
    if seen.startswith(_PREFACE):
        from varka.local.echo import http2

        return http2.serve
    return http1.serve if port.http or seen.startswith(_METHODS) else tcp.serve


def _undecided(seen: bytes) -> bool:
    return any(len(seen) < len(start) and start.startswith(seen) for start in (*_METHODS, _PREFACE))


def _listening(number: int) -> list[socket.socket]:
    """On every address of both families, where the machine has both. Raises OSError when the port
    is taken."""
    families = ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::"))
    return [
        sock
        for family, address in families
        if (sock := _listen(family, address, number)) is not None
    ]


def _listen(family: socket.AddressFamily, address: str, number: int) -> socket.socket | None:
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address, number))
    except OSError as error:
        if error.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
            return None
        raise
    sock.listen(1024)
    return sock


def _server_context(config: EchoConfig) -> ssl.SSLContext | None:
    if not config.certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(config.certificate, config.key or None)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context
