"""Sharing out work: everything is done once, in order, whatever becomes of a fork."""

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from varka.store.forks import deal, in_forks


@given(st.lists(st.integers(0, 50)), st.integers(1, 100))
def test_everything_is_dealt_once(sizes: list[int], least: int) -> None:
    hands = deal(sizes, least)
    assert sorted(index for hand in hands for index in hand) == list(range(len(sizes)))
    assert all(hand == sorted(hand) for hand in hands)
    assert len(hands) == max(1, min(len(os.sched_getaffinity(0)), sum(sizes) // least))


def test_hands_are_about_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})
    assert deal([1, 1, 4, 2, 2, 2], 1) == [[2], [3, 5], [0, 1, 4]]
    assert deal([1, 1, 4, 2, 2, 2], 6) == [[2, 5], [0, 1, 3, 4]]


def pid(number: int) -> tuple[int, int]:
    return number, os.getpid()


def spread(
    work: Callable[[int], Any], numbers: list[int], monkeypatch: pytest.MonkeyPatch
) -> list[Any]:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})
    return in_forks(work, numbers, lambda number: 1, 1)


def test_results_are_in_order_and_from_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    results = spread(pid, [1, 2, 3, 4, 5], monkeypatch)
    assert [number for number, _ in results] == [1, 2, 3, 4, 5]
    where = {process for _, process in results}
    assert os.getpid() in where
    assert len(where) == 3


def test_what_a_dying_fork_had_to_do_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    here = os.getpid()

    def work(number: int) -> tuple[int, int]:
        if os.getpid() != here:
            os._exit(3)
        return pid(number)

    assert spread(work, [1, 2], monkeypatch) == [(1, here), (2, here)]


def test_a_mistake_in_a_fork_shows_here(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError):
        spread(lambda number: 12 // number, [1, 0], monkeypatch)


def test_without_processes_everything_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", refuse)
    assert spread(pid, [1, 2], monkeypatch) == [(1, os.getpid()), (2, os.getpid())]


def test_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    assert spread(pid, [], monkeypatch) == []
