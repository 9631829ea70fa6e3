"""Plain values against a model: every wrong type and every unknown field, and the value in the
model's own spelling.

For messages that have no CustomResourceDefinition: MeshConfig, MeshNetworks, ProxyConfig
annotations, and Kubernetes' own kinds. Protobuf's JSON rules allow more than Kubernetes: field
names in snake case, and numbers as strings.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from difflib import get_close_matches
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any

import msgspec
from msgspec import Struct

from varka.base.duration import Duration
from varka.resources.codes import Code
from varka.resources.findings import Findings
from varka.resources.yaml import Path

_UNIONS = (types.UnionType, typing.Union)
_WORDS: dict[type, str] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "a boolean",
    bytes: "base64 text",
}


class Shape(Struct, frozen=True):
    """Reads values of models; `protobuf` allows what protobuf's JSON allows."""

    findings: Findings
    protobuf: bool = True

    def read(self, value: Any, kind: Any, path: Path) -> Any:
        """`value` in the spelling of `kind`; what is wrong with it goes to the findings and is left
        out."""
        kind = _required(kind)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return self._message(value, kind, path)
        origin = typing.get_origin(kind)
        if origin is typing.Annotated:
            number, bounds = typing.get_args(kind)
            return self._bounded(value, number, bounds, path)
        if origin is tuple:
            return self._list(value, typing.get_args(kind)[0], path)
        if origin is Mapping or (isinstance(origin, type) and issubclass(origin, Mapping)):
            return self._map(value, typing.get_args(kind)[1], path)
        return self._scalar(value, kind, path)

    def _message(self, value: Any, kind: type[msgspec.Struct], path: Path) -> Any:
        if not isinstance(value, dict):
            return self._wrong(path, "a mapping", value)
        fields = message_fields(kind)
        result = {}
        for name, item in value.items():
            field = fields.get(name) or (fields.get(_camel(name)) if self.protobuf else None)
            if field is None:
                self.findings.warning(
                    Code.UNKNOWN_FIELD,
                    (*path, name),
                    f"unknown field {name!r} is ignored",
                    near(name, fields),
                )
            elif item is not None:
                result[field.encode_name] = self.read(item, field.type, (*path, name))
        return {name: item for name, item in result.items() if item is not None}

    def _list(self, value: Any, kind: Any, path: Path) -> Any:
        if not isinstance(value, list):
            return self._wrong(path, "a list", value)
        return [self.read(item, kind, (*path, index)) for index, item in enumerate(value)]

    def _map(self, value: Any, kind: Any, path: Path) -> Any:
        if not isinstance(value, dict):
            return self._wrong(path, "a mapping", value)
        return {key: self.read(item, kind, (*path, key)) for key, item in value.items()}

    def _bounded(self, value: Any, kind: Any, bounds: msgspec.Meta, path: Path) -> Any:
        number, low, high = self.read(value, kind, path), bounds.ge or 0, bounds.le or 0
        if number is not None and not low <= number <= high:
            message = f"a number from {low} to {high} was expected, not {number}"
            self.findings.error(Code.OUT_OF_RANGE, path, message)
            return None
        return number

    def _scalar(self, value: Any, kind: Any, path: Path) -> Any:
        if kind is object or kind is Any:
            return value
        if typing.get_origin(kind) in _UNIONS:
            if isinstance(value, str):
                return value
            if isinstance(value, int) and not isinstance(value, bool):
                return self.read(value, typing.get_args(kind)[0], path)
            return self._wrong(path, "a number or a string", value)
        if kind is Duration:
            return self._duration(value, path)
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            return self._enum(value, kind, path)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return value
        if kind is bytes and isinstance(value, str):
            return value
        if self.protobuf and kind in (int, float) and isinstance(value, str):
            try:
                return kind(value)
            except ValueError:
                return self._wrong(path, _WORDS[kind], value)
        if type(value) is kind:
            return value
        return self._wrong(path, _WORDS.get(kind, str(kind)), value)

    def _duration(self, value: Any, path: Path) -> Any:
        try:
            Duration.parse(value)
        except (ValueError, TypeError, AttributeError):
            return self._wrong(path, "a duration such as 10s or 1h30m", value)
        return value

    def _enum(self, value: Any, kind: type[StrEnum], path: Path) -> Any:
        members = [str(member.value) for member in kind]
        if value in members:
            return value
        hint = near(str(value), members) or f"one of {', '.join(members)}"
        self.findings.error(Code.NOT_ONE_OF, path, f"{value!r} is not allowed here", hint)
        return None

    def _wrong(self, path: Path, wanted: str, value: Any) -> None:
        self.findings.error(Code.WRONG_TYPE, path, f"{wanted} was expected, not {shown(value)}")


def misspelt(value: Any, kind: type[msgspec.Struct], path: Path, findings: Findings) -> None:
    """Warn about names that differ from a field only in case, dashes or a final s: the API server
    would drop them.

    A model holds only the fields that we read, so other names say nothing.
    """
    if not isinstance(value, dict):
        return
    for name, meant, inner in _worth_a_look(kind, tuple(value)):
        if inner is None:
            hint = f"did you mean {meant!r}?"
            findings.warning(Code.UNKNOWN_FIELD, (*path, name), f"unknown field {name!r}", hint)
        elif isinstance(item := value[name], list):
            for index, part in enumerate(item):
                misspelt(part, inner, (*path, name, index), findings)
        else:
            misspelt(item, inner, (*path, name), findings)


@lru_cache(maxsize=4096)
def _worth_a_look(
    kind: type[msgspec.Struct], names: tuple[str, ...]
) -> tuple[tuple[str, str, type[msgspec.Struct] | None], ...]:
    """Of a mapping with these names, the misspelt ones with what was meant, and the ones that hold
    messages with their model. Many mappings have the same names: each set is looked at once."""
    fields = message_fields(kind)
    found: list[tuple[str, str, type[msgspec.Struct] | None]] = []
    for name in names:
        if name in fields:
            if inner := inner_message(fields[name].type):
                found.append((name, "", inner))
        elif (meant := _meant(name, kind)) and meant not in names:
            found.append((name, meant, None))
    return tuple(found)


def _loose(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "").rstrip("s")


def _meant(name: str, kind: type[msgspec.Struct]) -> str:
    """The field that an unknown name is a misspelling of, "" when it is none."""
    return next((field for field in message_fields(kind) if _loose(field) == _loose(name)), "")


@cache
def inner_message(kind: Any) -> type[msgspec.Struct] | None:
    """The model of a field's values, be they one, a list or a mapping; None when they are no
    messages."""
    kind = _required(kind)
    if typing.get_origin(kind) is not None:
        kind = next(
            (argument for argument in typing.get_args(kind) if argument not in (str, ...)), None
        )
    return kind if isinstance(kind, type) and issubclass(kind, msgspec.Struct) else None


@cache
def message_fields(kind: type[msgspec.Struct]) -> Mapping[str, msgspec.structs.FieldInfo]:
    """The fields of a model by their JSON names."""
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


def shown(value: Any) -> str:
    """A value as a message names it."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else repr(value)


def quoted(value: Any) -> str:
    """The text that may have been meant by a number or boolean: the same with quotes."""
    return shown(value) if isinstance(value, bool | int | float) else ""


def near(word: str, known: typing.Iterable[str]) -> str:
    """A hint that names the likeliest of `known`, or nothing."""
    names = {name.lower(): name for name in known}
    close = get_close_matches(word.lower().replace("_", ""), names, n=1, cutoff=0.7)
    return f"did you mean {names[close[0]]!r}?" if close else ""


@cache
def _required(kind: Any) -> Any:
    if typing.get_origin(kind) in _UNIONS:
        rest = tuple(arm for arm in typing.get_args(kind) if arm is not type(None))
        return rest[0] if len(rest) == 1 else kind
    return kind


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)
