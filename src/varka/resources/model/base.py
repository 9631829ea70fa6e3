"""What all typed models share: frozen, compared by identity, decoded from plain YAML/JSON
values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from varka.base.duration import Duration

Json = Mapping[str, Any]

M = TypeVar("M")


class Model(msgspec.Struct, frozen=True, eq=False, rename="camel"):
    """A decoded message. Equality is identity: an unchanged object is the same object (see
    `store`)."""


def _decode(kind: type, value: object) -> object:
    if kind is Duration:
        return Duration.parse(str(value))
    raise NotImplementedError(kind)


def decode(value: object, kind: type[M]) -> M:
    """Convert plain values to `kind`; raises `msgspec.ValidationError` at the first mismatch."""
    return msgspec.convert(value, kind, strict=False, dec_hook=_decode)
