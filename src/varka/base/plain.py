"""Our values as JSON and messages show them: the same shape in every verb and answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from varka.base.diagnostic import Diagnostic
from varka.base.names import ObjectKey

_SHOWN = 3


def plain_key(key: ObjectKey) -> dict[str, str]:
    return {"kind": key.kind, "namespace": key.namespace, "name": key.name}


def plain_diagnostic(diagnostic: Diagnostic) -> dict[str, Any]:
    key, origin = diagnostic.object, diagnostic.origin
    shown: dict[str, Any] = {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
    }
    if diagnostic.hint:
        shown["hint"] = diagnostic.hint
    shown["object"] = plain_key(key) if key else None
    shown["path"] = diagnostic.path
    if origin:
        shown |= {"file": origin.file, "line": origin.line, "column": origin.column}
    return shown


def some(names: Sequence[str]) -> str:
    """The first few of names, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
