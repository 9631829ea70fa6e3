"""Texts to write in place of values of a wrong type. A hint names one only when the whole object
is accepted with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from varka.base.diagnostic import Severity
from varka.resources.findings import Finding
from varka.resources.scalars import resolve_plain
from varka.resources.yaml import Path


def with_hints(
    value: Any, found: Sequence[Finding], check: Callable[[Any], Sequence[Finding]]
) -> list[Finding]:
    """What was found in an object, with hints where the texts of `instead`, written all together,
    mend the object. `check` is what found it."""
    texts = {finding.path: finding.instead for finding in found if finding.instead}
    if any(again.severity is Severity.ERROR for again in check(_written(value, texts))):
        return list(found)
    return [_hinted(finding) for finding in found]


def _hinted(finding: Finding) -> Finding:
    text = finding.instead
    if not text:
        return finding
    needs_quotes = not isinstance(resolve_plain(text), str)
    hint = f'write "{text}" with quotes' if needs_quotes else f"write {text}"
    return msgspec.structs.replace(finding, hint=hint)


def _written(value: Any, texts: Mapping[Path, str], path: Path = ()) -> Any:
    """A copy of `value` with texts in some places."""
    if path in texts:
        return texts[path]
    if isinstance(value, dict):
        return {key: _written(item, texts, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_written(item, texts, (*path, at)) for at, item in enumerate(value)]
    return value
