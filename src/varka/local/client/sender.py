"""Sends one request many times and counts who answered."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from varka.local.client import http1, http2, tcp
from varka.local.client.codec import ECHO_HEADER
from varka.local.client.connection import Connection, NoAnswer, connect, tls_context
from varka.local.client.request import (
    TLS_SCHEMES,
    Failed,
    Protocol,
    Request,
    Response,
    Summary,
    Target,
)

_AT_ONCE = 32


async def send(request: Request) -> Summary:
    """Every request gets a response, with `error` where there was no answer. Raises ValueError for
    no URL or no PEM.

    Without a concurrency they are sent one after the other. When nobody has answered and one had no
    answer in time, the others are sent at once: waiting for each would say nothing more.
    """
    target = Target.parse(request.url)
    protocol = request.chosen_protocol(target)
    context = tls_context(request.tls, protocol) if target.scheme in TLS_SCHEMES else None
    summary = Summary()
    left = iter(range(request.count))
    if not request.concurrency:
        await _Sender(request, target, protocol, context).run(left, summary, stop_in_silence=True)
    at_once = request.concurrency or _AT_ONCE
    async with asyncio.TaskGroup() as senders:
        for _ in range(min(at_once, request.count - summary.count)):
            senders.create_task(_Sender(request, target, protocol, context).run(left, summary))
    return summary


class _Sender:
    """One sender, with the connection that it keeps."""

    def __init__(
        self, request: Request, target: Target, protocol: Protocol, context: ssl.SSLContext | None
    ) -> None:
        self._request, self._target, self._protocol, self._context = (
            request,
            target,
            protocol,
            context,
        )
        self._keeps = request.concurrency > 0 and protocol not in (Protocol.TCP, Protocol.WEBSOCKET)
        self._open: _Open | None = None

    async def run(
        self, left: Iterator[int], summary: Summary, *, stop_in_silence: bool = False
    ) -> None:
        """Send what is left; no more after a timeout as long as nobody has answered, with
        `stop_in_silence`."""
        for _ in left:
            summary.add(await self._timed())
            if stop_in_silence and summary.is_silent:
                break
        self._close()

    async def _timed(self) -> Response:
        start = time.perf_counter()
        try:
            async with asyncio.timeout(self._request.timeout):
                response = await self._once()
        except TimeoutError:
            response = self._failed(Failed.TIMEOUT)
        except NoAnswer as no:
            response = self._failed(no.why)
        if not self._keeps:
            self._close()
        return replace(
            response, duration_ms=(time.perf_counter() - start) * 1000, echo=find_echo(response)
        )

    async def _once(self) -> Response:
        reused = self._open is not None
        try:
            return await self._exchange()
        except NoAnswer as no:
            # The peer may close a kept connection just as the next request is sent (RFC 9110,
            # 9.3.1).
            if not (reused and no.unhandled):
                raise
        self._close()
        return await self._exchange()

    async def _exchange(self) -> Response:
        request, target = self._request, self._target
        if self._open is None:
            connection = await connect(target, request.resolve, self._context, request.tls.sni)
            self._open = _Open(connection, None)
            if self._protocol in (Protocol.HTTP2, Protocol.GRPC):
                self._open = _Open(connection, http2.Http2(connection))
                await self._open.h2_client().open()
        connection = self._open.connection
        if self._protocol is Protocol.TCP:
            return await tcp.exchange(connection, request)
        if self._protocol is Protocol.WEBSOCKET:
            return await http1.websocket(connection, request, target)
        if self._protocol is Protocol.HTTP11:
            response, reusable = await http1.exchange(connection, request, target)
        else:
            client = self._open.h2_client()
            response = await (client.call if self._protocol is Protocol.GRPC else client.exchange)(
                request, target
            )
            reusable = client.reusable
        if not reusable:
            self._close()
        return response

    def _failed(self, why: Failed) -> Response:
        if self._open is not None:
            self._open.connection.abort()
            self._open = None
        return Response(error=why)

    def _close(self) -> None:
        if self._open is not None:
            self._open.connection.close()
            self._open = None


class _Open(Struct, frozen=True):
    connection: Connection
    h2: http2.Http2 | None

    def h2_client(self) -> http2.Http2:
        assert self.h2 is not None
        return self.h2


def find_echo(response: Response) -> Mapping[str, Any] | None:
    """The stand-in's echo object: the body, its first line (TCP), or a header (WebSocket); None
    when another server answered."""
    text = response.headers.get(ECHO_HEADER) or response.body.partition("\n")[0]
    if not text.startswith("{"):
        return None
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return (
        document
        if isinstance(document, dict) and {"pod", "namespace", "headers"} <= document.keys()
        else None
    )
