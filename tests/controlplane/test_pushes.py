"""When a push is over, and whose answers count for it."""

from __future__ import annotations

import asyncio

from varka.controlplane.pushes import Push, Pushes
from varka.envoy.resource import EnvoyResource, TypeUrl, View
from varka.proxy.node import from_document
from varka.xds.delta import DeltaStream
from varka.xds.events import Answered, Disconnected, InSync, Rejection
from varka.xds.hub import Connection, Publication
from varka.xds.responses import Responses

BAD = Rejection(EnvoyResource(TypeUrl.CLUSTER, "bad", b"", "1"), "no such type")


def connection(name: str) -> Connection:
    proxy = from_document({"name": name, "type": "sidecar"})
    return Connection(proxy, DeltaStream(Responses(), View()), 0)


def push(number: int, *waiting: Connection) -> Push:
    made = Push(asyncio.Future(loop=asyncio.new_event_loop()))
    made.publish(Publication(number, frozenset(waiting)))
    return made


def test_a_push_is_over_when_everybody_has_it_or_is_gone() -> None:
    pushes, a, b = Pushes(), connection("a"), connection("b")
    first = push(1, a, b)
    assert pushes.open(first)
    assert pushes.take(InSync(a, 1)) == []
    assert pushes.take(InSync(a, 1)) == []
    assert pushes.take(Disconnected(b)) == [first]
    assert pushes.take(InSync(b, 1)) == []
    assert not pushes.open(push(2))


def test_who_has_a_later_view_has_the_earlier_one_and_not_the_other_way_round() -> None:
    pushes, a = Pushes(), connection("a")
    first, second = push(1, a), push(2, a)
    pushes.open(first)
    pushes.open(second)
    assert pushes.take(InSync(a, 1)) == [first]
    assert pushes.take(InSync(a, 1)) == []
    third = push(3, a)
    pushes.open(third)
    assert pushes.take(InSync(a, 3)) == [second, third]


def test_a_rejection_belongs_to_the_pushes_up_to_its_publication() -> None:
    pushes, a = Pushes(), connection("a")
    first, second = push(1, a), push(2, a)
    pushes.open(first)
    pushes.open(second)
    pushes.take(Answered(a, 1, (BAD,)))
    assert pushes.take(InSync(a, 2)) == [first, second]
    assert first.rejections == [(a.proxy, BAD)]
    assert second.rejections == []
