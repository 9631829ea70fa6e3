"""What is logged, and how: a logger for each package, levels by scope as Istio's flags set them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO

LEVELS: Mapping[str, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
    "none": logging.CRITICAL + 1,
}
_OURS = "varka"
_SCOPES: Mapping[str, str] = {
    "all": _OURS,
    "default": _OURS,
    "ads": f"{_OURS}.xds",
    "delta": f"{_OURS}.xds",
    "model": f"{_OURS}.mesh",
    "validation": f"{_OURS}.resources",
    **{
        package: f"{_OURS}.{package}"
        for package in ("analyze", "controlplane", "envoy", "mesh", "resources", "store", "xds")
    },
}
"""Istio's scopes that have a counterpart, and our packages."""
_NAMES = {number: name for name, number in LEVELS.items() if name != "warning"}


def levels(base: str, by_scope: str = "") -> dict[str, int]:
    """Logger -> level, of `--log-level` and `--log_output_level`: `scope:level[,scope:level]`, a
    level alone being everybody's. Raises ValueError, whose text says what is wrong."""
    found = {_OURS: _level(base)}
    for part in filter(None, by_scope.split(",")):
        scope, colon, level = part.strip().rpartition(":")
        if colon and scope not in _SCOPES:
            raise ValueError(f"there is no scope {scope!r}; there are {', '.join(sorted(_SCOPES))}")
        found[_SCOPES[scope or "default"]] = _level(level)
    return found


def configure(found: Mapping[str, int], stream: TextIO) -> None:
    """Log to a stream from now on. On a terminal a bug is one line; in a file its traceback
    follows."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Formatter(tracebacks=not stream.isatty()))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name, level in found.items():
        logging.getLogger(name).setLevel(level)


def _level(text: str) -> int:
    if text not in LEVELS:
        raise ValueError(f"there is no level {text!r}; there are {', '.join(LEVELS)}")
    return LEVELS[text]


class _Formatter(logging.Formatter):
    """Istio's columns: time, level, scope, message."""

    def __init__(self, *, tracebacks: bool) -> None:
        super().__init__()
        self._tracebacks = tracebacks

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")
        package = record.name.removeprefix(f"{_OURS}.").partition(".")[0]
        level = _NAMES.get(record.levelno, record.levelname.lower())
        message = " ".join(record.getMessage().splitlines())
        line = f"{moment.removesuffix('+00:00')}Z\t{level}\t{package}\t{message}"
        if record.exc_info and self._tracebacks:
            return f"{line}\n{self.formatException(record.exc_info)}"
        return line
