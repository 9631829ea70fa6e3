"""HTTP/1.0 and HTTP/1.1, and the upgrades to WebSocket and h2c."""

from __future__ import annotations

from collections import deque
from http import HTTPStatus

import httptools
from msgspec import Struct

from varka.local.client.codec import ECHO_HEADER, accept_key
from varka.local.echo.answer import Answer
from varka.local.echo.config import IncomingRequest
from varka.local.echo.stream import Incoming


class _Received(Struct, frozen=True):
    request: IncomingRequest
    keep_alive: bool
    upgrade: str = ""


class _Reading:
    """Turns bytes into requests; `httptools` calls the `on_` methods."""

    def __init__(self, port: int, peer: str) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._port, self._peer = port, peer
        self._url = b""
        self._headers: list[tuple[str, str]] = []
        self.ready: deque[_Received] = deque()
        self.expects = False
        self.rest = b""

    def feed(self, data: bytes) -> None:
        """Raises httptools.HttpParserError."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self.rest = data[upgrade.args[0] :]

    def on_message_begin(self) -> None:
        self._url, self._headers = b"", []

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        self.expects = any(
            name == "expect" and value.lower() == "100-continue" for name, value in self._headers
        )

    def on_message_complete(self) -> None:
        request = IncomingRequest(
            port=self._port,
            protocol=f"HTTP/{self._parser.get_http_version()}",
            peer=self._peer,
            method=self._parser.get_method().decode(),
            path=self._url.decode(errors="replace"),
            host=next((value for name, value in self._headers if name == "host"), ""),
            headers=tuple(h for h in self._headers if h[0] != "host"),
        )
        upgrade = request.header("upgrade").lower() if self._parser.should_upgrade() else ""
        self.expects = False
        self.ready.append(_Received(request, self._parser.should_keep_alive(), upgrade))


async def serve(incoming: Incoming) -> None:
    """Answer requests in their order until one side closes. Raises Gone."""
    stream = incoming.stream
    reading = _Reading(incoming.port, stream.peer)
    while data := await stream.receive():
        try:
            reading.feed(data)
        except httptools.HttpParserError:
            await stream.send(
                b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            )
            return
        if reading.expects:
            reading.expects = False
            await stream.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        while reading.ready:
            received = reading.ready.popleft()
            if received.upgrade in ("websocket", "h2c"):
                stream.put_back(reading.rest)
                await _upgrade(incoming, received)
                return
            answer = await incoming.answering(received.request)
            await stream.send(_response(answer, received))
            if not received.keep_alive or received.upgrade:
                return


def _response(answer: Answer, received: _Received) -> bytes:
    version = received.request.protocol
    lines = [
        f"{version} {answer.status} {_phrase(answer.status)}",
        *(f"{name}: {value}" for name, value in answer.headers),
    ]
    bodyless = answer.status in (204, 304)
    if not bodyless:
        lines.append(f"content-length: {len(answer.body)}")
    lines.append(f"connection: {'keep-alive' if received.keep_alive else 'close'}")
    head = "\r\n".join((*lines, "", "")).encode("latin-1", "replace")
    return head if bodyless or received.request.method == "HEAD" else head + answer.body


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


async def _upgrade(incoming: Incoming, received: _Received) -> None:
    stream, request = incoming.stream, received.request
    if received.upgrade == "h2c":
        from varka.local.echo import http2

        await stream.send(
            b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"
        )
        await http2.serve(incoming, upgraded=request)
        return
    from varka.local.echo import websocket

    answer = await incoming.answering(request)
    if answer.status != 200:
        await stream.send(_response(answer, received))
        return
    accept = accept_key(request.header("sec-websocket-key"))
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "connection: upgrade",
        "upgrade: websocket",
        f"sec-websocket-accept: {accept}",
    ]
    lines.append(f"{ECHO_HEADER}: {answer.body.strip().decode()}")
    await stream.send("\r\n".join((*lines, "", "")).encode())
    await websocket.serve(stream)
