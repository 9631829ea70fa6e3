"""HTTP/1.1 and what begins as such: WebSocket."""

from __future__ import annotations

import base64
import os

import httptools

from varka.local.client.codec import Frame, Opcode, encode_frame, take_frames
from varka.local.client.connection import Connection, NoAnswer
from varka.local.client.request import Failed, Request, Response, Target, header_map


class _Reading:
    """Collects one final response; `httptools` calls the `on_` methods."""

    def __init__(self, method: str) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._bodyless = method == "HEAD"
        self._keep_alive = False
        self.status, self.version, self.done = 0, "", False
        self.headers: list[tuple[str, str]] = []
        self.body = bytearray()
        self.rest = b""

    def feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self.rest = data[upgrade.args[0] :]
            self.done = True
        except httptools.HttpParserError as error:
            if not self.done:
                raise NoAnswer(Failed.RESET, f"not HTTP: {error}") from None

    def finish(self) -> bool:
        """The peer closed: fine for a body without a length, else the answer is incomplete and this
        is False."""
        names = {name for name, _ in self.headers}
        self.done = bool(self.status) and not names & {"content-length", "transfer-encoding"}
        return self.done

    @property
    def reusable(self) -> bool:
        return self.done and self._keep_alive

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200 and status != 101:
            self.headers.clear()
            return
        self.status, self.version = status, self._parser.get_http_version()
        self.done = self.done or self._bodyless

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        if self.status:
            self.done = True
            # The parser knows this only here.
            self._keep_alive = self._parser.should_keep_alive() and not self._bodyless


def request_head(
    method: str, path: str, authority: str, headers: tuple[tuple[str, str], ...], body: bytes
) -> bytes:
    """The path goes out as written, whatever it holds."""
    lines = [
        f"{method} {path} HTTP/1.1",
        f"host: {authority}",
        *(f"{name}: {value}" for name, value in headers),
    ]
    if (body or method in ("POST", "PUT", "PATCH")) and not any(
        name == "content-length" for name, _ in headers
    ):
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode(errors="surrogateescape")


async def exchange(
    connection: Connection, request: Request, target: Target
) -> tuple[Response, bool]:
    """Send one request; the answer, and whether the connection takes another one. Raises
    NoAnswer."""
    method = request.chosen_method()
    head = request_head(
        method, target.path, request.authority(target), request.other_headers(), request.body
    )
    await connection.send(head + request.body)
    reading = await _read(connection, method)
    body = reading.body.decode(errors="replace")
    return Response(
        reading.status, f"HTTP/{reading.version}", header_map(reading.headers), body
    ), reading.reusable


async def websocket(connection: Connection, request: Request, target: Target) -> Response:
    """Shake hands, send the body as one text message, take one message back. Raises NoAnswer."""
    key = base64.b64encode(os.urandom(16)).decode()
    upgrade = (
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", key),
    )
    headers = (*request.other_headers(), *upgrade)
    await connection.send(request_head("GET", target.path, request.authority(target), headers, b""))
    reading = await _read(connection, "GET")
    body = reading.body.decode(errors="replace")
    if reading.status == 101:
        await connection.send(
            encode_frame(Frame(Opcode.TEXT, request.body or b"hello"), os.urandom(4))
        )
        body = (await _message(connection, bytearray(reading.rest))).decode(errors="replace")
        await connection.send(encode_frame(Frame(Opcode.CLOSE, (1000).to_bytes(2)), os.urandom(4)))
    return Response(reading.status, f"HTTP/{reading.version}", header_map(reading.headers), body)


async def _message(connection: Connection, buffer: bytearray) -> bytes:
    message = bytearray()
    while True:
        for frame in take_frames(buffer):
            if frame.opcode == Opcode.CLOSE:
                raise NoAnswer(Failed.RESET, "the WebSocket was closed")
            if frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONTINUATION):
                message += frame.payload
                if frame.final:
                    return bytes(message)
        data = await connection.receive()
        if not data:
            raise connection.lost("the connection was closed")
        buffer += data


async def _read(connection: Connection, method: str) -> _Reading:
    reading = _Reading(method)
    while not reading.done:
        data = await connection.receive()
        if data:
            reading.feed(data)
        elif not reading.finish():
            raise connection.lost("the connection was closed before the answer was complete")
    return reading
