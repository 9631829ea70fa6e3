"""The one cache: a pure function's arguments are its key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

Key = tuple[Any, ...]
_SMALL = 1000
_KEYWORDS = object()
"""Stands in a key between positional arguments and those with names."""
P = ParamSpec("P")
R = TypeVar("R")


class Memo:
    """Remembers results of pure functions for two generations.

    Arguments are the key, so they must be hashable: domain values hash by identity, small values
    (names, numbers, traits) by content. `turn()` ends a generation: what was asked for since the
    last turn survives, with everything it was made from, and the rest is dropped. A memo belongs to
    one thread.
    """

    def __init__(self) -> None:
        self._young: dict[Key, tuple[Any, list[Key]]] = {}
        self._old: dict[Key, tuple[Any, list[Key]]] = {}
        self._new = 0
        """Entries made since the last turn that dropped something."""
        self._making: list[list[Key]] = []
        """For each result being made: what it asked for."""
        self.made: dict[str, int] = {}
        """How often each function really ran, by its qualified name: what counting tests
        assert."""

    def __call__(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        key = (function, *args)
        if kwargs:
            key = (*key, _KEYWORDS, *sorted(kwargs.items()))
        if self._making:
            self._making[-1].append(key)
        entry = self._young.get(key)
        if entry is None:
            entry = self._kept(key) if key in self._old else self._make(key, function, args, kwargs)
        return entry[0]  # type: ignore[no-any-return]

    def nested(
        self, function: Callable[Concatenate[Memo, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """The result of `function(self, *args)`, remembered: for functions that have parts of their
        result remembered as well."""
        return self(function, self, *args, **kwargs)

    def turn(self) -> None:
        """Most changes are small: nothing is dropped until a good part of what is remembered is
        new."""
        if self._new > _SMALL + len(self._old) // 2:
            self._old, self._young, self._new = self._young, {}, 0

    def _make(
        self, key: Key, function: Callable[..., Any], args: Any, kwargs: Any
    ) -> tuple[Any, list[Key]]:
        asked: list[Key] = []
        self._making.append(asked)
        try:
            result = function(*args, **kwargs)
        finally:
            self._making.pop()
        name = f"{getattr(function, '__module__', 'builtins')}.{function.__qualname__}"
        self.made[name] = self.made.get(name, 0) + 1
        self._new += 1
        entry = self._young[key] = (result, asked)
        return entry

    def _kept(self, key: Key) -> tuple[Any, list[Key]]:
        """Take an entry over into this generation; without what it was made from, a small change
        would make all that again."""
        kept = self._old[key]
        todo = [key]
        while todo:
            one = todo.pop()
            if one not in self._young and (entry := self._old.get(one)) is not None:
                self._young[one] = entry
                todo += entry[1]
        return kept
