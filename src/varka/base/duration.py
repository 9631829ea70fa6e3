"""Durations as Go and protobuf write them."""

from __future__ import annotations

import re

_UNITS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")


class Duration(int):
    """A span of time in whole nanoseconds; may be negative."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read `1h30m`, `1.5s`, `-2ms`, `0` (Go's time.ParseDuration). Raises ValueError."""
        rest, sign = text, 1
        if rest[:1] in ("+", "-"):
            sign, rest = (-1 if rest[0] == "-" else 1), rest[1:]
        if rest == "0":
            return cls(0)
        total, at = 0, 0
        while at < len(rest):
            part = _PART.match(rest, at)
            if part is None:
                break
            whole, _, fraction = part[1].partition(".")
            unit = _UNITS[part[2]]
            total += int(whole or "0") * unit + (
                int(fraction) * unit // 10 ** len(fraction) if fraction else 0
            )
            at = part.end()
        if at == 0 or at != len(rest):
            raise ValueError(f"invalid duration {text!r}")
        return cls(sign * total)

    @classmethod
    def seconds(cls, value: float) -> Duration:
        return cls(round(value * 10**9))

    @property
    def total_seconds(self) -> float:
        return self / 10**9

    def __str__(self) -> str:
        return f"{self.total_seconds:g}s"
