"""The gRPC server of aggregated discovery, delta and state of the world. All it knows is when to read and write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
import grpc.aio

from varka.xds.hub import Connection, Hub
from varka.xds.messages import delta_request, sotw_request

SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"
_LARGE = 64 << 10
_IN_FLIGHT = 8
"""Large responses on their way at once: more make all of them slower and take more memory."""
_OPTIONS = (
    ("grpc.max_receive_message_length", 16 << 20),
    ("grpc.max_send_message_length", -1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.so_reuseport", 0),
)

Decode = Callable[[bytes], tuple[Any, Any]]
Changed = Callable[[Connection], None]


class AdsServer:
    """Serves a hub's connections. `changed` is called when a proxy connects, answers or leaves."""

    def __init__(self, hub: Hub, changed: Changed) -> None:
        self._hub, self._changed = hub, changed
        self._large = asyncio.Semaphore(_IN_FLIGHT)
        self._server = grpc.aio.server(options=_OPTIONS)
        handlers = {
            "DeltaAggregatedResources": grpc.stream_stream_rpc_method_handler(self._delta),
            "StreamAggregatedResources": grpc.stream_stream_rpc_method_handler(self._sotw),
        }
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))

    def listen(self, address: str) -> int:
        """Add `host:port` or `unix:path`; the port that was bound. Raises RuntimeError when it can't be."""
        return int(self._server.add_insecure_port(address))

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        """Close the streams one by one, then the server: it complains about streams that are open."""
        for connection in list(self._hub.connections):
            connection.closing = True
            connection.wake.set()
        await self._server.stop(grace=1)

    async def _delta(self, _: Any, context: Any) -> None:
        await self._serve(context, delta_request, delta=True)

    async def _sotw(self, _: Any, context: Any) -> None:
        await self._serve(context, sotw_request, delta=False)

    async def _serve(self, context: Any, decode: Decode, *, delta: bool) -> None:
        raw = await context.read()
        if raw is grpc.aio.EOF:
            return
        try:
            request, proxy = decode(raw)
        except ValueError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"node: {error}")
        if proxy is None:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the first request must carry the node")
        connection = self._hub.connect(proxy, delta=delta)
        connection.stream.request(request)
        connection.wake.set()
        self._changed(connection)
        reader = asyncio.create_task(self._read(context, decode, connection))
        try:
            await self._write(context, connection)
        finally:
            reader.cancel()
            self._hub.disconnect(connection)
            self._changed(connection)

    async def _read(self, context: Any, decode: Decode, connection: Connection) -> None:
        while (raw := await context.read()) is not grpc.aio.EOF:
            connection.stream.request(decode(raw)[0])
            connection.wake.set()
            self._changed(connection)
        connection.closing = True
        connection.wake.set()

    async def _write(self, context: Any, connection: Connection) -> None:
        while not connection.closing:
            connection.wake.clear()
            while not connection.closing and (response := connection.stream.next()) is not None:
                if len(response.body) > _LARGE:
                    async with self._large:
                        await context.write(response.body)
                else:
                    await context.write(response.body)
            if not connection.closing:
                await connection.wake.wait()
