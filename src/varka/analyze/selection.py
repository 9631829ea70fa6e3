"""Selectors that nobody has the labels for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import NamedTuple

from varka.registry.selectors import selects

Labels = Mapping[str, str]


class Missed(NamedTuple):
    """A selector that selects nobody, as text, with a hint where some label is alike."""

    labels: str
    hint: str


def missed(
    selector: Labels, labels: Iterable[Labels], also: Iterable[tuple[str, str]] = ()
) -> Missed | None:
    """None when somebody has these labels, or none are asked for. `also` are labels that may be
    meant besides."""
    known = list(labels)
    if not selector or any(selects(selector, one) for one in known):
        return None
    shown = ", ".join(f"{name}={value}" for name, value in sorted(selector.items()))
    there = sorted(
        {f"{k}={v}" for one in known for k, v in one.items()} | {f"{k}={v}" for k, v in also}
    )
    near = get_close_matches(shown, there, 1)
    return Missed(shown, f"did you mean {near[0]}?" if near else "")
