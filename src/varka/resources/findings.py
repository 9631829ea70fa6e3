"""What checks of one object found, before it is tied to a file."""

from __future__ import annotations

import re

from msgspec import Struct, field

from varka.base.diagnostic import Severity
from varka.resources.codes import Code
from varka.resources.yaml import Path


class Finding(Struct, frozen=True):
    code: Code
    severity: Severity
    path: Path
    message: str
    hint: str = ""
    instead: str = ""
    """The text that may have been meant: `hints` tries it."""


class Findings(Struct):
    """Collects every mistake of one object; paths begin at the object's root."""

    items: list[Finding] = field(default_factory=list)
    tolerated: frozenset[Code] = frozenset()
    """What else would be an error is a warning."""

    def error(
        self,
        code: Code,
        path: Path,
        message: str,
        hint: str = "",
        instead: str = "",
    ) -> None:
        severity = Severity.WARNING if code in self.tolerated else Severity.ERROR
        self.items.append(Finding(code, severity, path, message, hint, instead))

    def warning(self, code: Code, path: Path, message: str, hint: str = "") -> None:
        self.items.append(Finding(code, Severity.WARNING, path, message, hint))

    def info(self, code: Code, path: Path, message: str, hint: str = "") -> None:
        self.items.append(Finding(code, Severity.INFO, path, message, hint))

    @property
    def failed(self) -> bool:
        return bool(self.items) and self.failed_since(0)

    def failed_since(self, index: int) -> bool:
        """Whether there are errors from the item at `index` on."""
        return len(self.items) > index and any(
            item.severity is Severity.ERROR for item in self.items[index:]
        )


_STEP = re.compile(r'\.?([^.\[]+)|\[(\d+)\]|\["(.*?)"\]')


def parsed_path(text: str) -> Path:
    """The path that `path_text` shows so."""
    steps = _STEP.findall(text)
    return tuple(int(index) if index else name or quoted for name, index, quoted in steps)


def path_text(path: Path) -> str:
    """`spec.http[0].route[0].weight`; keys that are no plain words are quoted:
    `metadata.labels["a.b/c"]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.replace("-", "_").isidentifier():
            text += f".{step}" if text else step
        else:
            text += f'["{step}"]'
    return text
