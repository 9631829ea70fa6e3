"""When a connection is greeted, asked, given up: decisions without a clock."""

from __future__ import annotations

import pytest

from varka.xds.transport.life import Due, Life
from varka.xds.transport.limits import Limits

LIMITS = Limits(greeting=10, keepalive=30, keepalive_answer=20, farewell=5)


def life(ends: float = float("inf")) -> Life:
    return Life(LIMITS, 0, ends)


def test_who_asks_for_nothing_is_refused() -> None:
    assert life().due(9, requested=False) is Due.NOTHING
    assert life().due(11, requested=False) is Due.REFUSE
    assert life().due(11, requested=True) is Due.NOTHING


def test_silence_is_asked_about_once_and_then_given_up() -> None:
    one = life()
    steps = [(at, one.due(at, requested=True)) for at in range(0, 60, 1)]
    assert [step for step in steps if step[1] is not Due.NOTHING] == [
        (31, Due.PING),
        *((at, Due.GIVE_UP) for at in range(51, 60)),
    ]


def test_whatever_comes_is_an_answer() -> None:
    one = life()
    one.due(0, requested=True)
    assert one.due(31, requested=True) is Due.PING
    one.hear()
    assert one.due(40, requested=True) is Due.NOTHING
    assert one.due(60, requested=True) is Due.NOTHING
    assert one.due(71, requested=True) is Due.PING


@pytest.mark.parametrize("busy", [True, False])
def test_age_ends_in_three_steps(busy: bool) -> None:
    one = life(ends=100)
    found = []
    for at in range(101, 125):
        if busy:
            one.hear()
        if (due := one.due(at, requested=True)) not in (Due.NOTHING, Due.PING):
            found.append((at, due))
    assert found[:3] == [(101, Due.ASK_TO_LEAVE), (107, Due.END_STREAMS), (113, Due.GIVE_UP)]
