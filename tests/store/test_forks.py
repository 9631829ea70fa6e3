"""Sharing out work: everything is done once, in order, whatever becomes of a fork."""

import os
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from varka.store.forks import in_forks, shares


@given(st.lists(st.integers(0, 50)), st.integers(1, 100))
def test_shares_are_consecutive_and_not_small(sizes: list[int], least: int) -> None:
    parts = shares(sizes, lambda size: size, least)
    assert [size for part in parts for size in part] == sizes
    assert all(parts)
    assert len(parts) <= max(1, min(len(os.sched_getaffinity(0)), sum(sizes) // least))


def test_each_processor_gets_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2})
    assert shares([1, 1, 4, 2, 2, 2], lambda size: size, 1) == [[1, 1, 4], [2], [2, 2]]
    assert shares([1, 1, 4, 2, 2, 2], lambda size: size, 6) == [[1, 1, 4], [2, 2, 2]]


def pids(numbers: Sequence[int]) -> list[tuple[int, int]]:
    return [(number, os.getpid()) for number in numbers]


def test_the_first_part_is_done_here_and_the_others_elsewhere() -> None:
    results = in_forks(pids, [[1, 2], [3], [4]])
    assert [number for result in results for number, _ in result] == [1, 2, 3, 4]
    where = [{pid for _, pid in result} for result in results]
    assert where[0] == {os.getpid()}
    assert len(set.union(*where)) == 3


def test_a_part_whose_fork_dies_is_done_here() -> None:
    here = os.getpid()

    def work(numbers: Sequence[int]) -> list[tuple[int, int]]:
        if os.getpid() != here:
            os._exit(3)
        return pids(numbers)

    assert in_forks(work, [[1], [2]]) == [[(1, here)], [(2, here)]]


def test_a_mistake_in_a_fork_shows_here() -> None:
    def work(numbers: Sequence[int]) -> int:
        return 12 // numbers[0]

    with pytest.raises(ZeroDivisionError):
        in_forks(work, [[1], [0]])


def test_without_processes_everything_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", refuse)
    assert in_forks(pids, [[1], [2]]) == [[(1, os.getpid())], [(2, os.getpid())]]
