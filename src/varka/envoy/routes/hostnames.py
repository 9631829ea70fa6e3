"""How Istio compares host names that may be wildcards (`*.example.com`, `*`)."""

from __future__ import annotations

from collections.abc import Iterable


def is_wildcard(host: str) -> bool:
    return host.startswith("*")


def covers(wide: str, narrow: str) -> bool:
    """Every name that `narrow` means is one that `wide` means."""
    if not is_wildcard(wide):
        return wide == narrow
    if is_wildcard(narrow) and len(narrow) < len(wide):
        return False
    return narrow.removeprefix("*").endswith(wide[1:])


def overlap(a: str, b: str) -> bool:
    return covers(a, b) or covers(b, a)


def intersection(ours: Iterable[str], theirs: Iterable[str]) -> tuple[str, ...]:
    """The names, or the narrower wildcards, that both lists mean; each once, in the order of `ours`."""
    narrow = (a if covers(b, a) else b for a in ours for b in tuple(theirs) if overlap(a, b))
    return tuple(dict.fromkeys(narrow))


def most_specific(host: str, wildcards: Iterable[str]) -> str | None:
    """The longest of the wildcards that cover a host."""
    return max((w for w in wildcards if host.removeprefix("*").endswith(w[1:])), key=len, default=None)
