"""Tables as Go's text/tabwriter lays them out: what istioctl and kubectl print."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def render(rows: Iterable[Sequence[str]], padding: int = 5) -> str:
    """Every column is as wide as its widest cell and `padding` spaces; the last cell of a row stays
    as it is."""
    table = [tuple(row) for row in rows]
    columns = max((len(row) - 1 for row in table), default=0)
    widths = [
        max(len(row[at]) for row in table if len(row) > at + 1) + padding for at in range(columns)
    ]
    return "".join(f"{_line(row, widths)}\n" for row in table)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False))
    return "".join((*padded, *row[-1:]))
