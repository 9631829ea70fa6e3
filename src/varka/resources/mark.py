"""Where something is inside a text."""

from __future__ import annotations

from dataclasses import dataclass

Path = tuple[str | int, ...]
"""Where a field is inside a document: keys and list indexes."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A position in a text, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Problem:
    """Why (a part of) a document can't be read."""

    message: str
    mark: Mark
