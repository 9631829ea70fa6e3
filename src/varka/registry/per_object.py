"""A pure function over all objects of a kind, where only changed objects cost anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from varka.resources.resource import Resource

Value = TypeVar("Value")


class PerObjectCache(Generic[Value]):
    """Remembers `function(item, *context)` for the items of the last tuple it was asked for.

    For kinds with thousands of objects one look-up per unchanged object is all that a change of
    another may cost. Get it from a memo (`memo(PerObjectCache, function, *context)`), so that
    another context starts afresh.
    """

    def __init__(self, function: Callable[..., Value], *context: Any) -> None:
        self._function = function
        self._context = context
        self._items: tuple[Resource[Any], ...] = ()
        self._values: dict[Resource[Any], Value] = {}

    def of(self, items: tuple[Resource[Any], ...]) -> dict[Resource[Any], Value]:
        """Values by item, in the order of the items; the same mapping for the same tuple. Do not
        change it."""
        if items is not self._items:
            known, make, context = self._values, self._function, self._context
            self._values = {
                item: known[item] if item in known else make(item, *context) for item in items
            }
            self._items = items
        return self._values
