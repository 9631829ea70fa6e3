"""The gRPC server of aggregated discovery, delta and state of the world. All it knows is when to
read and write."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import grpc
import grpc.aio

from varka.xds.hub import Connection, Hub
from varka.xds.messages import DeltaRequests, Malformed, sotw_request

SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"
_LARGE = 64 << 10
_IN_FLIGHT = 8
"""Large responses on their way at once: more make all of them slower and take more memory."""
_PATIENCE = 5.0
"""Seconds after which a proxy that does not answer gets what waits for its answer."""
_OPTIONS = (
    ("grpc.max_receive_message_length", 16 << 20),
    ("grpc.max_send_message_length", -1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.so_reuseport", 0),
)

Decode = Callable[[bytes], tuple[Any, Any]]
logger = logging.getLogger(__name__)


class AdsServer:
    """Serves a hub's connections."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._delta_requests = DeltaRequests()
        self._large = asyncio.Semaphore(_IN_FLIGHT)
        self._server = grpc.aio.server(options=_OPTIONS)
        handlers = {
            "DeltaAggregatedResources": grpc.stream_stream_rpc_method_handler(self._delta),
            "StreamAggregatedResources": grpc.stream_stream_rpc_method_handler(self._sotw),
        }
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(SERVICE, handlers),)
        )

    def listen(self, address: str) -> int:
        """Add `host:port` or `unix:path`; the port that was bound. Raises RuntimeError when it
        can't be."""
        return int(self._server.add_insecure_port(address))

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        """End the streams, then the server: it complains about streams that are open."""
        for connection in self._hub.connections:
            connection.close()
        await self._server.stop(grace=1)

    async def _delta(self, _: Any, context: Any) -> None:
        await self._serve(context, self._delta_requests, delta=True)

    async def _sotw(self, _: Any, context: Any) -> None:
        await self._serve(context, sotw_request, delta=False)

    async def _serve(self, context: Any, decode: Decode, *, delta: bool) -> None:
        """The boundary of a stream: what a client does wrong, and a bug of ours, end this stream
        with a reason and no other."""
        try:
            await self._converse(context, decode, delta=delta)
        except Malformed as error:
            logger.warning("a stream of %s is ended: %s", context.peer(), error)
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except grpc.aio.BaseError as error:
            logger.info("the stream of %s broke: %s", context.peer(), error)
        except Exception as error:
            self._hub.fail(error, f"serving {context.peer()}")
            await context.abort(grpc.StatusCode.INTERNAL, "a bug of varka's; its log says more")

    async def _converse(self, context: Any, decode: Decode, *, delta: bool) -> None:
        raw = await context.read()
        if raw is grpc.aio.EOF:
            return
        request, proxy = decode(raw)
        if proxy is None:
            raise Malformed("the first request must carry the node")
        connection = self._hub.connect(proxy, delta=delta)
        try:
            self._hub.request(connection, request)
            reader = asyncio.create_task(self._read(context, decode, connection))
            try:
                await self._write(context, connection)
            finally:
                reader.cancel()
                (ended,) = await asyncio.gather(reader, return_exceptions=True)
            if isinstance(ended, Exception):
                raise ended
        finally:
            self._hub.disconnect(connection)

    async def _read(self, context: Any, decode: Decode, connection: Connection) -> None:
        try:
            while (raw := await context.read()) is not grpc.aio.EOF:
                self._hub.request(connection, decode(raw)[0])
        finally:
            connection.close()

    async def _write(self, context: Any, connection: Connection) -> None:
        while not connection.closing:
            connection.wake.clear()
            while not connection.closing and (response := self._hub.next(connection)) is not None:
                if len(response.body) > _LARGE:
                    async with self._large:
                        await context.write(response.body)
                else:
                    await context.write(response.body)
            await self._news(connection)

    async def _news(self, connection: Connection) -> None:
        """Wait until the stream may go on. Who has everything may be silent for ever."""
        if connection.stream.in_sync():
            await connection.wake.wait()
            return
        timer = asyncio.get_running_loop().call_later(_PATIENCE, _hurry, connection)
        try:
            await connection.wake.wait()
        finally:
            timer.cancel()


def _hurry(connection: Connection) -> None:
    if not connection.stream.in_sync():
        connection.stream.overdue()
        connection.wake.set()
