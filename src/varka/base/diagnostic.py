"""User mistakes as values."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from varka.base.names import ObjectKey


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Origin(Struct, frozen=True):
    """A place in a manifest; `line` and `column` count from 1, 0 where unknown. `file` is as the
    user named it, `-` for stdin."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class Diagnostic(Struct, frozen=True):
    """One thing to tell the user.

    `code` is stable (`V0012`); `path` is the field inside the object
    (`spec.http[0].route[0].weight`); `message` says what and why, `hint` the next step.
    """

    code: str
    severity: Severity
    message: str
    origin: Origin | None = None
    object: ObjectKey | None = None
    path: str = ""
    hint: str = ""
