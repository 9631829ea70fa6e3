"""The hub: which proxies get which view."""

import asyncio
from functools import partial

from varka.envoy.resource import NO_FORMS, EnvoyResource, Forms, TypeUrl, View
from varka.proxy.node import Proxy, from_document
from varka.xds.hub import Hub


class Compiler:
    """Makes an empty view for everybody but the proxies named in `broken`."""

    def __init__(self) -> None:
        self.newest = View()
        self.broken: set[str] = set()

    def view(self, proxy: Proxy, forms: Forms = NO_FORMS) -> View:
        if proxy.name in self.broken:
            raise RuntimeError("a bug")
        return self.newest

    def route(self, proxy: Proxy, name: str) -> EnvoyResource:
        return EnvoyResource(TypeUrl.ROUTE, name, b"", "1")


def test_a_view_that_can_not_be_made_costs_nobody_what_is_there() -> None:
    compiler = Compiler()
    hub = Hub(compiler, asyncio.Queue())
    one, two, three = (
        hub.connect(from_document({"name": n, "type": "sidecar"}), delta=True)
        for n in ("one", "two", "three")
    )
    before = compiler.newest
    compiler.newest, compiler.broken = View(), {"one", "two"}
    publication = hub.publish()
    assert publication.changed == {three}
    assert one.stream.view is two.stream.view is before
    assert three.stream.view is compiler.newest
    assert [str(failed.error) for failed in publication.failures] == ["a bug"]


def test_who_leaves_while_views_are_published_holds_up_nobody() -> None:
    compiler = Compiler()
    hub = Hub(compiler, asyncio.Queue())
    names = ("one", "two", "three")
    found = [hub.connect(from_document({"name": n, "type": "sidecar"}), delta=True) for n in names]
    for connection in found:
        connection.wake = partial(hub.disconnect, connection)
    compiler.newest = View()
    assert hub.publish().changed == set(found)
    assert not hub.connections
