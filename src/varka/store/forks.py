"""Work on many items with all processors."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_forks(
    work: Callable[[T], R], items: Sequence[T], size: Callable[[T], int], least: int
) -> list[R]:
    """`work` of each item, in their order. The items are dealt out to as many processes as there
    are processors, but no more than have `least` to do: this one, and forks of it, which have
    everything loaded already and pickle what they find. What a fork does not answer is done here
    too, so a mistake shows as it would without forks."""
    hands = deal([size(item) for item in items], least)
    forks = [_fork(work, [items[index] for index in hand]) for hand in hands[1:]]
    answers = [[work(items[index]) for index in hand] for hand in hands[:1]]
    for hand, fork in zip(hands[1:], forks, strict=True):
        answer = _answer(*fork) if fork else None
        answers.append(pickle.loads(answer) if answer else [work(items[index]) for index in hand])
    results = {
        index: result
        for hand, answer in zip(hands, answers, strict=True)
        for index, result in zip(hand, answer, strict=True)
    }
    return [results[index] for index in range(len(items))]


def deal(sizes: Sequence[int], least: int) -> list[list[int]]:
    """Indexes in as many hands of about the same size as there are processors and `least` of the
    whole: the largest first, each to the smallest hand so far. Each hand is in order."""
    count = max(1, min(len(os.sched_getaffinity(0)), sum(sizes) // least))
    hands: list[list[int]] = [[] for _ in range(count)]
    weights = [0] * count
    for index in sorted(range(len(sizes)), key=sizes.__getitem__, reverse=True):
        smallest = weights.index(min(weights))
        hands[smallest].append(index)
        weights[smallest] += sizes[index]
    return [sorted(hand) for hand in hands]


def _fork(work: Callable[[T], R], items: Sequence[T]) -> tuple[int, int] | None:
    """Its pid and where its answer can be read; None where no process can be made."""
    reading, writing = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        return None
    if pid:
        os.close(writing)
        return pid, reading
    code = 1
    try:
        os.close(reading)
        with os.fdopen(writing, "wb") as answer:
            pickle.dump([work(item) for item in items], answer, pickle.HIGHEST_PROTOCOL)
        code = 0
    finally:
        os._exit(code)


def _answer(pid: int, reading: int) -> bytes | None:
    with os.fdopen(reading, "rb") as answers:
        answer = answers.read()
    _, status = os.waitpid(pid, 0)
    return None if status else answer
