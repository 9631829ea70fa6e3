"""Whole numbers in text that users write."""

from __future__ import annotations

_LONGEST = 20


def number(text: str) -> int | None:
    """What decimal digits say, None for all else: digits of other scripts (`²`), a sign, or more
    digits than any number that we know has."""
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST):
        return None
    return int(text)
