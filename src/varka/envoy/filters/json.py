"""Values of EnvoyFilters as Istio reads them.

Istio hands them to golang/protobuf's `jsonpb`, which takes durations as Go writes them (`1h30m`,
`500ms`), refuses enum values without a name, and passes over fields that it does not know.
protobuf's own reader takes durations in seconds only and passes over unknown enum values: so those
two are settled here, by the message that each value is for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message

from varka.base.duration import Duration
from varka.envoy.messagetypes import is_frozen, load_type, successor
from varka.resources.yaml import Path

M = TypeVar("M", bound=Message)

_ANY = "google.protobuf.Any"
_DURATION = "google.protobuf.Duration"
_WELL_KNOWN = "google.protobuf."
_NANOS = 10**9


class Unreadable(ValueError):
    """What is wrong with a value, and the path of the field inside it as far as it is known."""

    def __init__(self, reason: str, path: Path = ()) -> None:
        super().__init__(reason)
        self.path = path


def read_json(value: Mapping[str, Any], message: M, *, strict: bool = False) -> M:
    """Fill a message; fields that it does not have are an error only when `strict`. Raises
    Unreadable."""
    plain = _message(value, cast(Descriptor, message.DESCRIPTOR), ())
    try:
        return ParseDict(plain, message, ignore_unknown_fields=not strict)
    except (ParseError, TypeError, ValueError, RecursionError) as error:
        raise Unreadable(str(error).partition("\n")[0]) from None


def _message(value: Any, kind: Descriptor, path: Path) -> Any:
    """The same value with durations and enums as protobuf's reader takes them."""
    if kind.full_name == _DURATION:
        return _duration(value, path)
    if not isinstance(value, Mapping):
        return value
    if kind.full_name == _ANY:
        return _any(value, path)
    if kind.full_name.startswith(_WELL_KNOWN):
        return value
    fields = {**{f.json_name: f for f in kind.fields}, **kind.fields_by_name}
    return {
        name: _field(item, fields[name], (*path, name))
        if name in fields and item is not None
        else item
        for name, item in value.items()
    }


def _field(value: Any, field: FieldDescriptor, path: Path) -> Any:
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        entry = kind.fields_by_name["value"]
        if not isinstance(value, Mapping):
            return value
        return {key: _single(item, entry, (*path, key)) for key, item in value.items()}
    if field.is_repeated and isinstance(value, (list, tuple)):
        return [_single(item, field, (*path, at)) for at, item in enumerate(value)]
    return _single(value, field, path)


def _single(value: Any, field: FieldDescriptor, path: Path) -> Any:
    if field.message_type is not None:
        return _message(value, field.message_type, path)
    if field.enum_type is not None and isinstance(value, str):
        return _enum(value, field.enum_type, path)
    return value


def _duration(value: Any, path: Path) -> Any:
    if not isinstance(value, str):
        return value
    try:
        nanos = int(Duration.parse(value))
    except ValueError as error:
        raise Unreadable(str(error), path) from None
    sign, (seconds, rest) = "-" if nanos < 0 else "", divmod(abs(nanos), _NANOS)
    return f"{sign}{seconds}.{rest:09}s" if rest else f"{sign}{seconds}s"


def _enum(value: str, kind: EnumDescriptor, path: Path) -> str:
    if value not in kind.values_by_name and not value.lstrip("-").isdecimal():
        names = ", ".join(kind.values_by_name)
        raise Unreadable(f"{kind.name} has no value {value!r}, only {names}", path)
    return value


def _any(value: Mapping[str, Any], path: Path) -> Any:
    """A configuration inside `typed_config`: of a type that Envoy still has."""
    type_url = value.get("@type")
    if not isinstance(type_url, str):
        return value
    name = type_url.rpartition("/")[2]
    if not load_type(name):
        raise Unreadable(f"no such type: {name}", (*path, "@type"))
    kind = descriptor_pool.Default().FindMessageTypeByName(name)
    if is_frozen(kind):
        newer = successor(name)
        hint = f": write {type_url.rpartition('/')[0]}/{newer}" if newer else ""
        reason = f"{name} is of Envoy's API version 2, which Envoy has no more{hint}"
        raise Unreadable(reason, (*path, "@type"))
    if kind.full_name.startswith(_WELL_KNOWN):
        return value
    inner = {key: item for key, item in value.items() if key != "@type"}
    return {"@type": type_url, **_message(inner, kind, path)}
