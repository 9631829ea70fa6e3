"""The boundary of a stream: what ends it, with which reason, and that it leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import grpc
import grpc.aio
import pytest
from envoy.service.discovery.v3 import discovery_pb2

from varka.envoy.resource import NO_FORMS, EnvoyResource, Forms, Layer, Portion, TypeUrl, View
from varka.proxy.node import Proxy
from varka.xds.events import Connected, Disconnected, Event, Failed
from varka.xds.hub import Hub
from varka.xds.server import SERVICE, AdsServer

CLUSTER = Layer.of([EnvoyResource(TypeUrl.CLUSTER, "a", b"", "1")])


class Compiler:
    """One cluster for everybody; has a bug where a route is looked up."""

    def view(self, proxy: Proxy, forms: Forms = NO_FORMS) -> View:
        if proxy.name == "broken":
            raise RuntimeError("a bug")
        return View(Portion({TypeUrl.CLUSTER: (CLUSTER,)}))

    def route(self, proxy: Proxy, name: str) -> EnvoyResource:
        raise RuntimeError("a bug")


class Served:
    """A server and the streams to it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self.hub = Hub(Compiler(), self.events)
        self.server = AdsServer(self.hub)

    async def send(self, *requests: bytes, method: str = "DeltaAggregatedResources") -> str:
        """Send all, read until the end: the status and what it says."""
        async with grpc.aio.insecure_channel(self.address) as channel:
            call = channel.stream_stream(f"/{SERVICE}/{method}")()
            try:
                for request in requests:
                    await call.write(request)
                while await call.read() is not grpc.aio.EOF:
                    pass
            except grpc.aio.AioRpcError as error:
                return f"{error.code().name}: {error.details()}"
            return f"{(await call.code()).name}: {await call.details()}"

    def happened(self) -> list[Event]:
        return [self.events.get_nowait() for _ in range(self.events.qsize())]


def request(type_: TypeUrl = TypeUrl.CLUSTER, id_: str = "", *names: str) -> bytes:
    message = discovery_pb2.DeltaDiscoveryRequest(type_url=type_, resource_names_subscribe=names)
    if id_:
        message.node.id = id_
    return bytes(message.SerializeToString())


def run(folder: Path, play: Callable[[Served], Awaitable[None]]) -> None:
    async def whole() -> None:
        served = Served(f"unix:{folder}/ads.sock")
        await served.server.listen(served.address)
        try:
            await play(served)
        finally:
            await served.server.stop()

    asyncio.run(asyncio.wait_for(whole(), 20))


GOOD = "sidecar~10.0.0.1~{}.default~default.svc.cluster.local"


@pytest.mark.parametrize(
    ("method", "first", "why"),
    [
        ("DeltaAggregatedResources", b"\xff\xff", "not a DeltaDiscoveryRequest"),
        ("DeltaAggregatedResources", request(id_="no-four-parts"), "node: the id"),
        ("DeltaAggregatedResources", request(), "must carry the node"),
        ("StreamAggregatedResources", b"\xff\xff", "not a DiscoveryRequest"),
    ],
)
def test_a_first_request_that_says_nothing_is_refused(
    tmp_path: Path, method: str, first: bytes, why: str
) -> None:
    async def play(served: Served) -> None:
        told = await served.send(first, method=method)
        assert told.startswith("INVALID_ARGUMENT: ")
        assert why in told
        assert served.happened() == []

    run(tmp_path, play)


def test_garbage_later_ends_the_stream_with_a_reason(tmp_path: Path) -> None:
    async def play(served: Served) -> None:
        told = await served.send(request(id_=GOOD.format("p")), b"\xff\xff")
        assert told.startswith("INVALID_ARGUMENT: not a DeltaDiscoveryRequest")
        assert not served.hub.connections

    run(tmp_path, play)


@pytest.mark.parametrize(
    "requests",
    [
        (request(TypeUrl.CLUSTER, GOOD.format("broken")),),
        (request(TypeUrl.ROUTE, GOOD.format("p"), "80"),),
        (request(id_=GOOD.format("p")), request(TypeUrl.ROUTE, "", "80")),
    ],
    ids=["view", "first", "later"],
)
def test_a_bug_of_ours_ends_one_stream_and_leaves_no_connection(
    tmp_path: Path, requests: tuple[bytes, ...]
) -> None:
    async def play(served: Served) -> None:
        assert (await served.send(*requests)).startswith("INTERNAL: a bug of varka's")
        assert not served.hub.connections
        happened = served.happened()
        (failed,) = (event for event in happened if isinstance(event, Failed))
        assert str(failed.error) == "a bug"
        left = [event for event in happened if isinstance(event, Disconnected)]
        assert len(left) == len([event for event in happened if isinstance(event, Connected)])

    run(tmp_path, play)


def test_a_first_request_that_fails_leaves_no_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dead connection would keep later pushes waiting for ever."""

    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("varka.xds.delta.DeltaStream.request", broken)

    async def play(served: Served) -> None:
        assert (await served.send(request(id_=GOOD.format("p")))).startswith("INTERNAL")
        assert not served.hub.connections

    run(tmp_path, play)
