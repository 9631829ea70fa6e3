"""The one cache: a pure function's arguments are its key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Memo:
    """Remembers results of pure functions for two generations.

    Arguments are the key, so they must be hashable: domain values hash by identity, small values
    (names, numbers, traits) by content. `turn()` ends a generation: what was asked for since the
    last turn survives, the rest is dropped. A memo belongs to one thread.
    """

    def __init__(self) -> None:
        self._young: dict[tuple[Any, ...], Any] = {}
        self._old: dict[tuple[Any, ...], Any] = {}
        self.made: dict[str, int] = {}
        """How often each function really ran, by its name: what counting tests assert."""

    def __call__(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        key = (function, *args)
        if kwargs:
            key = (*key, *sorted(kwargs.items()))
        try:
            return self._young[key]  # type: ignore[no-any-return]
        except KeyError:
            pass
        if key in self._old:
            result: R = self._old[key]
        else:
            result = function(*args, **kwargs)
            name = function.__name__
            self.made[name] = self.made.get(name, 0) + 1
        self._young[key] = result
        return result

    def turn(self) -> None:
        self._old, self._young = self._young, {}
