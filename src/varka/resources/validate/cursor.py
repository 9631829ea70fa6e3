"""A place inside an object that checks report to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from msgspec import Struct

from varka.resources.codes import Code
from varka.resources.findings import Findings
from varka.resources.yaml import Path

T = TypeVar("T")


class Cursor(Struct, frozen=True):
    findings: Findings
    path: Path = ()

    def at(self, *steps: str | int) -> Cursor:
        return Cursor(self.findings, (*self.path, *steps))

    def each(self, field: str, items: Sequence[T]) -> Iterator[tuple[Cursor, T]]:
        """Every item of a list with its place."""
        for index, item in enumerate(items):
            yield self.at(field, index), item

    def error(self, code: Code, message: str, hint: str = "") -> None:
        self.findings.error(code, self.path, message, hint)

    def warning(self, code: Code, message: str, hint: str = "") -> None:
        self.findings.warning(code, self.path, message, hint)

    def info(self, code: Code, message: str, hint: str = "") -> None:
        self.findings.info(code, self.path, message, hint)

    def check(self, code: Code, wrong: str) -> None:
        """An error when `wrong`, what a check of `values` answers, is not empty."""
        if wrong:
            self.findings.error(code, self.path, wrong)
