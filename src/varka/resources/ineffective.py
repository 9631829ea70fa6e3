"""Which fields of a value are among those that nothing reads. What these are, and why, each package
says of itself (`mesh.unread`, `envoy.unread`, `inject.unread`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from varka.resources.yaml import Path

Reasons = Mapping[str, str]
"""Kind and path of a field (all below it are meant, too) -> why it has no effect."""


def ineffective(
    value: Any, field: str, reasons: Reasons, defaults: Any = None, path: Path = ()
) -> Iterator[tuple[Path, str]]:
    """The fields without effect that `value` sets to something else than the default, and why.
    `value` is in the model's spelling; `field` says what it is the value of (`MeshConfig`,
    `MeshConfig.defaultConfig`)."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from ineffective(item, field, reasons, None, (*path, index))
    elif reason := reasons.get(field):
        if value != defaults:
            yield path, reason
    elif isinstance(value, dict):
        known = defaults if isinstance(defaults, dict) else {}
        for name, item in value.items():
            yield from ineffective(item, f"{field}.{name}", reasons, known.get(name), (*path, name))
