"""HTTP/2: each request is a task of its connection; gRPC requests are handed to `grpc`."""

from __future__ import annotations

import asyncio
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    DataReceived,
    Event,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes
from msgspec import Struct, field

from varka.local.echo import grpc
from varka.local.echo.config import IncomingRequest
from varka.local.echo.stream import Gone, Incoming

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
WINDOW = 1 << 20


class Exchange(Struct):
    """One stream: its request, the data that arrives (None at the end), and whether the peer reset
    it."""

    stream_id: int
    request: IncomingRequest
    data: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)
    task: asyncio.Task[None] | None = None


async def serve(incoming: Incoming, upgraded: IncomingRequest | None = None) -> None:
    """Until one side closes; `upgraded` is the HTTP/1.1 request that asked for h2c. Raises Gone."""
    try:
        async with asyncio.TaskGroup() as group:
            await _Connection(incoming, group).run(upgraded)
    except* Gone as gone:
        raise Gone from gone


class _Connection:
    def __init__(self, incoming: Incoming, group: asyncio.TaskGroup) -> None:
        self._incoming, self._group = incoming, group
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self._exchanges: dict[int, Exchange] = {}
        self._window = asyncio.Event()

    async def run(self, upgraded: IncomingRequest | None) -> None:
        if upgraded is None:
            self._h2.initiate_connection()
        else:
            self._h2.initiate_upgrade_connection(upgraded.header("http2-settings").encode())
            self._begin(1, upgraded).data.put_nowait(None)
        self._h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: WINDOW})
        self._h2.increment_flow_control_window(WINDOW)
        await self._flush()
        try:
            while data := await self._incoming.stream.receive():
                for event in self._h2.receive_data(data):
                    self._take(event)
                await self._flush()
        except ProtocolError:
            await self._flush()
        for exchange in self._exchanges.values():
            if exchange.task:
                exchange.task.cancel()

    def _take(self, event: Event) -> None:
        if isinstance(event, RequestReceived):
            self._begin(event.stream_id or 0, _request_of(event.headers, self._incoming))
        elif isinstance(event, (WindowUpdated, RemoteSettingsChanged)):
            self._window.set()
        elif isinstance(event, DataReceived):
            self._h2.acknowledge_received_data(
                event.flow_controlled_length or 0, event.stream_id or 0
            )
        # An exchange that was answered early is gone while its data still arrives.
        exchange = self._exchanges.get(getattr(event, "stream_id", None) or 0)
        if exchange is None:
            return
        if isinstance(event, DataReceived):
            exchange.data.put_nowait(event.data or b"")
        elif isinstance(event, StreamEnded):
            exchange.data.put_nowait(None)
        elif isinstance(event, StreamReset) and exchange.task:
            exchange.task.cancel()

    def _begin(self, stream_id: int, request: IncomingRequest) -> Exchange:
        exchange = Exchange(stream_id, request)
        self._exchanges[stream_id] = exchange
        exchange.task = self._group.create_task(self._handle(exchange))
        return exchange

    async def _handle(self, exchange: Exchange) -> None:
        sending = Sending(self, exchange.stream_id)
        try:
            if exchange.request.header("content-type").startswith("application/grpc"):
                await grpc.serve(exchange.request, exchange.data, self._incoming.answering, sending)
            else:
                await self._answer(exchange, sending)
        except ProtocolError:
            # The peer reset this stream, or closed the connection, while we were answering.
            pass
        finally:
            self._exchanges.pop(exchange.stream_id, None)

    async def _answer(self, exchange: Exchange, sending: Sending) -> None:
        while await exchange.data.get() is not None:
            pass
        answer = await self._incoming.answering(exchange.request)
        body = (
            b"" if answer.status in (204, 304) or exchange.request.method == "HEAD" else answer.body
        )
        length = () if answer.status in (204, 304) else (("content-length", str(len(answer.body))),)
        await sending.headers(
            ((":status", str(answer.status)), *answer.headers, *length), end=not body
        )
        if body:
            await sending.data(body, end=True)

    async def send_headers(
        self, stream_id: int, headers: tuple[tuple[str, str], ...], end: bool
    ) -> None:
        self._h2.send_headers(stream_id, headers, end_stream=end)
        await self._flush()

    async def send_data(self, stream_id: int, data: bytes, end: bool) -> None:
        while True:
            size = min(
                self._h2.local_flow_control_window(stream_id),
                self._h2.max_outbound_frame_size,
                len(data),
            )
            if size > 0 or not data:
                self._h2.send_data(stream_id, data[:size], end_stream=end and size == len(data))
                await self._flush()
                data = data[size:]
                if not data:
                    return
            else:
                self._window.clear()
                await self._window.wait()

    async def _flush(self) -> None:
        if data := self._h2.data_to_send():
            await self._incoming.stream.send(data)


class Sending(Struct, frozen=True):
    """The answering side of one stream."""

    connection: _Connection
    stream_id: int

    async def headers(self, headers: tuple[tuple[str, str], ...], *, end: bool = False) -> None:
        await self.connection.send_headers(self.stream_id, headers, end)

    async def data(self, data: bytes, *, end: bool = False) -> None:
        await self.connection.send_data(self.stream_id, data, end)


def _request_of(headers: Any, incoming: Incoming) -> IncomingRequest:
    pairs = [(str(name), str(value)) for name, value in headers or ()]
    pseudo = dict(pair for pair in pairs if pair[0].startswith(":"))
    return IncomingRequest(
        port=incoming.port,
        protocol="HTTP/2",
        peer=incoming.stream.peer,
        method=pseudo.get(":method", ""),
        path=pseudo.get(":path", ""),
        host=pseudo.get(":authority", ""),
        headers=tuple(pair for pair in pairs if not pair[0].startswith(":")),
    )
