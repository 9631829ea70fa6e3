"""HTTP/2 with prior knowledge or by ALPN, and gRPC on top of it."""

from __future__ import annotations

from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import ProtocolError

from varka.local.client.codec import encode_field, encode_message, read_field, take_messages
from varka.local.client.connection import Connection, NoAnswer
from varka.local.client.request import TLS_SCHEMES, Failed, Request, Response, Target, header_map

WINDOW = 1 << 20
# gRPC's own table: https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md
_GRPC_STATUS = {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14}
_UNKNOWN = 2


class Http2:
    """The client side of one connection, one request at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        # Paths and headers go out as the user wrote them.
        self._h2 = H2Connection(
            H2Configuration(
                client_side=True,
                header_encoding="utf-8",
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self._closing = False

    @property
    def reusable(self) -> bool:
        return not self._closing

    async def open(self) -> None:
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(WINDOW)
        await self._flush()

    async def exchange(self, request: Request, target: Target) -> Response:
        """Raises NoAnswer."""
        headers = self._headers(request, target, request.chosen_method(), request.other_headers())
        answer = await self._stream(headers, request.body)
        return Response(
            answer.status,
            "HTTP/2",
            header_map(answer.headers),
            answer.body.decode(errors="replace"),
        )

    async def call(self, request: Request, target: Target) -> Response:
        """A gRPC call with one message `{string message = 1}`. Raises NoAnswer."""
        extra = (("content-type", "application/grpc"), ("te", "trailers"))
        given = tuple(
            h for h in request.other_headers() if h[0] not in ("content-type", "te", "accept")
        )
        message = (
            encode_message(encode_field(1, request.body)) if request.body else encode_message(b"")
        )
        answer = await self._stream(
            self._headers(request, target, "POST", (*given, *extra)), message
        )
        headers = header_map((*answer.headers, *answer.trailers))
        status = headers.get("grpc-status", "")
        grpc_status = (
            int(status) if status.isdecimal() else _GRPC_STATUS.get(answer.status, _UNKNOWN)
        )
        return Response(
            answer.status, "HTTP/2", headers, _grpc_body(answer.body), grpc_status=grpc_status
        )

    def _headers(
        self, request: Request, target: Target, method: str, rest: tuple[tuple[str, str], ...]
    ) -> list[tuple[str, str]]:
        scheme = "https" if target.scheme in TLS_SCHEMES else "http"
        pseudo = [
            (":method", method),
            (":scheme", scheme),
            (":authority", request.authority(target)),
            (":path", target.path),
        ]
        return [*pseudo, *rest]

    async def _stream(self, headers: list[tuple[str, str]], body: bytes) -> _Answer:
        try:
            stream = self._h2.get_next_available_stream_id()
            self._h2.send_headers(stream, headers, end_stream=not body)
            answer = _Answer(stream)
            while not answer.done:
                body = self._send_some(stream, body)
                await self._flush()
                data = await self._connection.receive()
                if not data:
                    raise self._connection.lost("the connection was closed")
                for event in self._h2.receive_data(data):
                    self._take(event, answer)
            await self._flush()
        except ProtocolError as error:
            raise NoAnswer(Failed.RESET, f"not HTTP/2: {error}") from None
        return answer

    def _send_some(self, stream: int, body: bytes) -> bytes:
        while body:
            size = min(
                self._h2.local_flow_control_window(stream),
                self._h2.max_outbound_frame_size,
                len(body),
            )
            if size <= 0:
                break
            self._h2.send_data(stream, body[:size], end_stream=size == len(body))
            body = body[size:]
        return body

    def _take(self, event: Event, answer: _Answer) -> None:
        if isinstance(event, ConnectionTerminated):
            self._closing = True
            if not event.last_stream_id or event.last_stream_id < answer.stream:
                raise NoAnswer(Failed.RESET, "the peer goes away", unhandled=True)
        elif getattr(event, "stream_id", None) != answer.stream:
            return
        elif isinstance(event, ResponseReceived):
            answer.headers = _pairs(event.headers)
            answer.status = int(next(value for name, value in answer.headers if name == ":status"))
            answer.headers = [h for h in answer.headers if not h[0].startswith(":")]
        elif isinstance(event, TrailersReceived):
            answer.trailers = _pairs(event.headers)
        elif isinstance(event, DataReceived):
            answer.body += event.data or b""
            self._h2.acknowledge_received_data(event.flow_controlled_length or 0, answer.stream)
        elif isinstance(event, StreamReset):
            raise NoAnswer(Failed.RESET, f"the stream was reset ({event.error_code})")
        elif isinstance(event, StreamEnded):
            answer.done = True

    async def _flush(self) -> None:
        if data := self._h2.data_to_send():
            await self._connection.send(data)


class _Answer:
    def __init__(self, stream: int) -> None:
        self.stream = stream
        self.status, self.done = 0, False
        self.headers: list[tuple[str, str]] = []
        self.trailers: list[tuple[str, str]] = []
        self.body = bytearray()


def _pairs(headers: Any) -> list[tuple[str, str]]:
    return [(str(name), str(value)) for name, value in headers or ()]


def _grpc_body(body: bytearray) -> str:
    """The first message's first string, as the stand-in answers; other services' messages as they
    are."""
    message = next(take_messages(body), None)
    if message is None:
        return body.decode(errors="replace")
    text = read_field(message, 1)
    return (message if text is None else text).decode(errors="replace")
