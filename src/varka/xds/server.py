"""Aggregated discovery over gRPC, delta and state of the world: requests to the hub, its responses
to the client."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from varka.xds.hub import Connection, Hub
from varka.xds.messages import DeltaRequests, Malformed, sotw_request
from varka.xds.transport.limits import DEFAULT_LIMITS, Limits
from varka.xds.transport.server import Server
from varka.xds.transport.status import Status
from varka.xds.transport.stream import Stream

SERVICE = "envoy.service.discovery.v3.AggregatedDiscoveryService"
_PATIENCE = 5.0
"""Seconds after which a proxy that does not answer gets what waits for its answer."""

Decode = Callable[[bytes], tuple[Any, Any]]
logger = logging.getLogger(__name__)


class CannotListen(Exception):
    """An address is taken, or none."""


class AdsServer:
    """Serves a hub's connections on any number of addresses."""

    def __init__(self, hub: Hub, limits: Limits = DEFAULT_LIMITS) -> None:
        delta_request = DeltaRequests()
        self._server = Server(
            {
                f"/{SERVICE}/DeltaAggregatedResources": lambda stream: AdsStream(
                    hub, stream, delta_request, delta=True
                ),
                f"/{SERVICE}/StreamAggregatedResources": lambda stream: AdsStream(
                    hub, stream, sotw_request, delta=False
                ),
            },
            limits,
        )

    async def listen(self, address: str) -> int:
        """Serve on `host:port` or `unix:path`; the port that was bound. Raises CannotListen."""
        kind, _, path = address.partition(":")
        host, _, port = address.rpartition(":")
        try:
            if kind == "unix":
                await self._server.listen_unix(Path(path))
                return 0
            return await self._server.listen_tcp(host.strip("[]"), int(port))
        except (OSError, ValueError, OverflowError) as error:
            raise CannotListen(f"{address}: {error}") from error

    async def stop(self) -> None:
        """End the streams, then the connections: proxies come back to whoever serves next."""
        await self._server.stop(grace=1)


class AdsStream:
    """One stream of a proxy. A slow one is not written ahead: when it can take more, the newest
    view decides what that is."""

    __slots__ = ("_connection", "_decode", "_delta", "_heard", "_hub", "_stream", "_timer")

    def __init__(self, hub: Hub, stream: Stream, decode: Decode, *, delta: bool) -> None:
        self._hub, self._stream = hub, stream
        self._decode, self._delta = decode, delta
        self._connection: Connection | None = None
        self._heard = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def received(self, body: bytes) -> None:
        try:
            self._request(body)
        except Malformed as error:
            logger.warning("a stream of %s is ended: %s", self._stream.peer, error)
            self._stream.end(Status.INVALID_ARGUMENT, str(error))
        except Exception as error:
            self._fail(error)

    def half_closed(self) -> None:
        self._stream.end(Status.OK)

    def drained(self) -> None:
        self.pump()

    def closed(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._connection is not None:
            self._hub.disconnect(self._connection)

    def pump(self) -> None:
        """Send what there is to say, as far as the client takes it."""
        connection, stream = self._connection, self._stream
        assert connection is not None, "only who is connected is woken"
        try:
            while not stream.waiting and (response := self._hub.next(connection)) is not None:
                stream.send(response.message)
            if self._timer is None and not connection.stream.in_sync():
                self._wait(_PATIENCE)
        except Exception as error:
            self._fail(error)

    def _request(self, body: bytes) -> None:
        request, proxy = self._decode(body)
        self._heard = asyncio.get_running_loop().time()
        if self._connection is None:
            if proxy is None:
                raise Malformed("the first request must carry the node")
            self._connection = self._hub.connect(proxy, delta=self._delta)
            self._connection.wake = self.pump
        self._hub.request(self._connection, request)

    def _wait(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._overdue)

    def _overdue(self) -> None:
        """Who has everything may be silent for ever; others get what waited for their answer."""
        self._timer = None
        connection = self._connection
        if connection is None or connection.stream.in_sync():
            return
        silent = asyncio.get_running_loop().time() - self._heard
        if silent < _PATIENCE:
            self._wait(_PATIENCE - silent)
        else:
            connection.stream.overdue()
            self.pump()

    def _fail(self, error: Exception) -> None:
        """A bug of ours ends this stream and no other."""
        self._hub.fail(error, f"serving {self._stream.peer}")
        self._stream.end(Status.INTERNAL, "a bug of varka's; its log says more")
