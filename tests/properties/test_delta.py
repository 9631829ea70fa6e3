"""However slowly a client takes what changes, it ends with exactly the newest view."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from enum import Enum
from itertools import cycle
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.properties.envoy import Envoy
from tests.properties.messages import assignment_names
from tests.properties.objects import Plain, edits, meshes
from tests.properties.world import compiler, proxies, resources, steps_of

from varka.envoy.compiler import Compiler
from varka.envoy.dump import message_of
from varka.envoy.resource import TypeUrl, View
from varka.proxy.node import Proxy
from varka.store.store import Store
from varka.xds.delta import DeltaStream
from varka.xds.hub import Hub
from varka.xds.responses import Response


class Event(Enum):
    """What happens next on a connection."""

    RESPONSE_SENT = 0
    RESPONSE_TAKEN = 1
    REQUEST_TAKEN = 2
    OVERDUE = 3
    RECONNECT = 4
    QUIET = 5
    """Nothing happens for so long that everybody is done."""


class Wire:
    """A client, its stream, and what is under way between them."""

    def __init__(self, compiler: Compiler, proxy: Proxy) -> None:
        self.hub = Hub(compiler, asyncio.Queue())
        self.client = Envoy()
        self.connection = self.hub.connect(proxy, delta=True)
        self.under_way: deque[Response] = deque()

    @property
    def stream(self) -> DeltaStream:
        stream = self.connection.stream
        assert isinstance(stream, DeltaStream)
        return stream

    def happen(self, event: Event) -> bool:
        """False when there is nothing to do."""
        match event:
            case Event.RESPONSE_SENT:
                response = self.stream.next()
                if response is None:
                    return False
                self.under_way.append(response)
            case Event.RESPONSE_TAKEN:
                if not self.under_way:
                    return False
                self.client.receive(self.under_way.popleft())
            case Event.REQUEST_TAKEN:
                if not self.client.sending:
                    return False
                self.hub.request(self.connection, self.client.sending.popleft())
            case Event.OVERDUE:
                self.stream.overdue()
            case Event.RECONNECT:
                self.under_way.clear()
                self.hub.disconnect(self.connection)
                self.connection = self.hub.connect(self.connection.proxy, delta=True)
                self.client.reconnect()
            case Event.QUIET:
                self.settle()
        return True

    def settle(self) -> None:
        """Until nobody has anything to say. It takes a few rounds; a conversation without end is a
        bug."""
        regular = (Event.REQUEST_TAKEN, Event.RESPONSE_SENT, Event.RESPONSE_TAKEN)
        for _ in range(2000):
            if not sum(self.happen(event) for event in regular):
                return
        raise AssertionError("the client and the stream talk on and on")


def check(wire: Wire, view: View) -> None:
    wanted: dict[tuple[TypeUrl, str], str] = {
        (r.type, r.name): r.version for r in resources(view) if r.type is not TypeUrl.ENDPOINTS
    }
    clusters = [message_of(r) for r in view.of(TypeUrl.CLUSTER)]
    for name in {name for cluster in clusters for name in assignment_names(cluster)}:
        assignment = view.get(TypeUrl.ENDPOINTS, name)
        assert assignment is not None
        wanted[TypeUrl.ENDPOINTS, name] = assignment.version
    held = {
        (type_, name): r.version
        for type_, found in wire.client.held.items()
        for name, r in found.items()
    }
    assert held == wanted
    assert not wire.client.warming
    assert wire.stream.in_sync()


# A conversation about a view takes some fifty events.
ordinary = (Event.RESPONSE_SENT, Event.RESPONSE_TAKEN, Event.REQUEST_TAKEN) * 5
events = st.lists(
    st.lists(st.sampled_from((*ordinary, *Event)), max_size=40), min_size=5, max_size=5
)


@pytest.mark.parametrize(("at", "alone_from"), [(0, (0,)), (4, (0,)), (0, (0, 9)), (1, (9, 0))])
@settings(max_examples=30, deadline=None, derandomize=True)
@given(meshes(), edits(), events)
def test_a_client_ends_with_the_newest_view(
    at: int,
    alone_from: Sequence[int],
    mesh: list[Plain],
    drawn: Sequence[Sequence[Plain | int]],
    happening: Sequence[Sequence[Event]],
) -> None:
    """Virtual hosts travel alone, as they do in large meshes. With several thresholds, one after
    the other, what is large becomes small and large again."""
    store, found = Store(), compiler()
    wire = Wire(found, proxies()[at])
    for change, then, threshold in zip(
        steps_of(mesh, drawn), happening, cycle(alone_from), strict=False
    ):
        with patch("varka.envoy.routes.sidecar.VHDS_FROM", threshold):
            found.update(store.write("test", change.put, change.drop).state)
            wire.hub.publish()
            for event in then:
                wire.happen(event)
    wire.settle()
    check(wire, found.view(wire.connection.proxy, wire.stream.forms))
