"""Where something is inside a text."""

from __future__ import annotations

import msgspec

Path = tuple[str | int, ...]
"""Where a field is inside a document: keys and list indexes."""


class Mark(msgspec.Struct, frozen=True):
    """A position in a text, counted from 1."""

    line: int
    column: int


class Problem(msgspec.Struct, frozen=True):
    """Why (a part of) a document can't be read."""

    message: str
    mark: Mark
