"""Work on many items with all processors."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def shares(items: Sequence[T], size: Callable[[T], int], least: int) -> list[Sequence[T]]:
    """Consecutive items in as many shares of about the same size as there are processors, but none
    much smaller than `least`."""
    total = sum(map(size, items))
    count = max(1, min(len(os.sched_getaffinity(0)), total // least))
    result: list[Sequence[T]] = []
    start, done = 0, 0
    for index, item in enumerate(items, 1):
        done += size(item)
        full = len(result) + 1 < count and done * count >= total * (len(result) + 1)
        if full or index == len(items):
            result.append(items[start:index])
            start = index
    return result


def in_forks(work: Callable[[Sequence[T]], R], parts: Sequence[Sequence[T]]) -> list[R]:
    """`work` of each part, in their order: of the first here, of each other in a fork of this
    process, which has everything loaded already. Results are pickled. A part that no fork answers
    for is done here too, so a mistake shows as it would without forks."""
    forks = [_fork(work, part) for part in parts[1:]]
    results = [work(part) for part in parts[:1]]
    for fork, part in zip(forks, parts[1:], strict=True):
        answer = _answer(*fork) if fork else None
        results.append(pickle.loads(answer) if answer else work(part))
    return results


def _fork(work: Callable[[Sequence[T]], R], part: Sequence[T]) -> tuple[int, int] | None:
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
            pickle.dump(work(part), answer, pickle.HIGHEST_PROTOCOL)
        code = 0
    finally:
        os._exit(code)


def _answer(pid: int, reading: int) -> bytes | None:
    with os.fdopen(reading, "rb") as answers:
        answer = answers.read()
    _, status = os.waitpid(pid, 0)
    return None if status else answer
