"""Messages against Envoy's own validation rules, before they are sent.

Envoy's protos carry `validate.rules` options; a message that breaks one is rejected as a whole. The
rules are read from the descriptors once per message type and become a list of small checks.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from validate import validate_pb2

from varka.base.ip import is_ip
from varka.envoy.messagetypes import load_type, unpacked

Check = Callable[[Message], Iterator[str]]
"""Takes a message, yields `path: what is wrong`."""
Value = Callable[[Any], str | None]
"""Takes a field's value, gives what is wrong with it."""

_DURATION = "google.protobuf.Duration"
_HEADER_NAME = re.compile(r"^:?[0-9a-zA-Z!#$%&'*+\-.^_|~`]+$")
_HEADER_VALUE = re.compile(r"^[^\u0000-\u0008\u000A-\u001F\u007F]*$")


def violations(message: Message) -> list[str]:
    """What Envoy would refuse in a decoded message, configurations inside `Any`s included; [] when
    it is fine."""
    found: list[str] = []
    for check in _checks(message.DESCRIPTOR):
        found.extend(check(message))
    return found


@cache
def _checks(descriptor: Descriptor) -> tuple[Check, ...]:
    options = descriptor.GetOptions()
    if options.Extensions[validate_pb2.disabled]:
        return ()
    found: list[Check] = [
        _oneof(o.name)
        for o in descriptor.oneofs
        if o.GetOptions().Extensions[validate_pb2.required]
    ]
    for field in descriptor.fields:
        found.extend(_field(field))
    return tuple(found)


def _oneof(name: str) -> Check:
    def check(message: Message) -> Iterator[str]:
        if message.WhichOneof(name) is None:
            yield f"{name}: one of its members is required"

    return check


def _field(field: FieldDescriptor) -> Iterator[Check]:
    rules = field.GetOptions().Extensions[validate_pb2.rules]
    kind = rules.WhichOneof("type")
    name = field.name
    message = field.message_type
    if message is not None and message.GetOptions().map_entry:
        yield _map(field.name, message, rules.map if kind == "map" else None)
    elif field.is_repeated:
        yield _repeated(field, rules.repeated if kind == "repeated" else None)
    elif message is not None:
        valued = kind in ("duration", "any") or _is_wrapper(message)
        yield _submessage(field, rules, _value(rules) if valued else None)
    elif (value := _value(rules)) is not None:
        in_oneof = field.containing_oneof is not None or field.has_presence

        def check(holder: Message) -> Iterator[str]:
            if in_oneof and not holder.HasField(name):
                return
            wrong = value(getattr(holder, name))
            if wrong:
                yield f"{name}: {wrong}"

        yield check


def _is_wrapper(message: Descriptor) -> bool:
    name: str = message.full_name
    return name.startswith("google.protobuf.") and name.endswith("Value")


def _submessage(
    field: FieldDescriptor, rules: validate_pb2.FieldRules, value: Value | None
) -> Check:
    name = field.name
    required = field.containing_oneof is None and (
        rules.message.required or rules.duration.required or rules.any.required
    )
    skip = rules.message.skip

    def check(holder: Message) -> Iterator[str]:
        if not holder.HasField(name):
            if required:
                yield f"{name}: required"
            return
        inner = getattr(holder, name)
        if value is not None:
            wrong = value(inner.value if inner.DESCRIPTOR.full_name.endswith("Value") else inner)
            if wrong:
                yield f"{name}: {wrong}"
        if not skip:
            yield from _below(name, inner)

    return check


def _below(path: str, message: Message) -> Iterator[str]:
    if isinstance(message, AnyMessage):
        if not message.type_url or not load_type(message.type_url.rpartition("/")[2]):
            return
        message = unpacked(message)
    yield from (f"{path}.{wrong}" for wrong in violations(message))


def _repeated(field: FieldDescriptor, rules: validate_pb2.RepeatedRules | None) -> Check:
    name, message = field.name, field.message_type is not None
    item = _value(rules.items) if rules is not None and not message else None
    skip = rules is not None and rules.items.message.skip

    def check(holder: Message) -> Iterator[str]:
        values = getattr(holder, name)
        if rules is not None and not (rules.ignore_empty and not values):
            if len(values) < rules.min_items:
                yield f"{name}: at least {rules.min_items} needed"
            if rules.HasField("max_items") and len(values) > rules.max_items:
                yield f"{name}: at most {rules.max_items} allowed"
            if rules.unique and not message and len(set(values)) != len(values):
                yield f"{name}: values repeat"
        for at, value in enumerate(values):
            if message:
                if not skip:
                    yield from _below(f"{name}[{at}]", value)
            elif item is not None and (wrong := item(value)):
                yield f"{name}[{at}]: {wrong}"

    return check


def _map(name: str, entry: Descriptor, rules: validate_pb2.MapRules | None) -> Check:
    messages = entry.fields_by_name["value"].message_type is not None
    keys = _value(rules.keys) if rules is not None else None

    def check(holder: Message) -> Iterator[str]:
        entries = getattr(holder, name)
        if rules is not None and len(entries) < rules.min_pairs:
            yield f"{name}: at least {rules.min_pairs} needed"
        for key, value in entries.items():
            if keys is not None and (wrong := keys(key)):
                yield f"{name}[{key!r}]: {wrong}"
            if messages:
                yield from _below(f"{name}[{key!r}]", value)

    return check


def _value(rules: validate_pb2.FieldRules) -> Value | None:
    """The checks of a scalar's rules as one function; None when it has none."""
    kind = rules.WhichOneof("type")
    if kind in (None, "message", "repeated", "map", "timestamp"):
        return None
    own = getattr(rules, kind)
    tests = list(_TESTS.get(kind, _number)(own))
    if not tests:
        return None
    ignore_empty = getattr(own, "ignore_empty", False)

    def check(value: Any) -> str | None:
        if ignore_empty and not value:
            return None
        return next((text for holds, text in tests if not holds(value)), None)

    return check


Tests = Iterator[tuple[Callable[[Any], bool], str]]


def _number(rules: Message) -> Tests:
    yield from _bounds(rules, lambda v: v)


_COMPARISONS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "lt": ("must be less than", operator.lt),
    "lte": ("must be at most", operator.le),
    "gt": ("must be greater than", operator.gt),
    "gte": ("must be at least", operator.ge),
    "const": ("must be", operator.eq),
}


def _compared(
    read: Callable[[Any], Any], compare: Callable[[Any, Any], bool], bound: Any, value: Any
) -> bool:
    return compare(read(value), read(bound))


def _bounds(rules: Message, read: Callable[[Any], Any]) -> Tests:
    """`const`, `lt`, `lte`, `gt`, `gte`, `in`, `not_in`."""
    given = {field.name: value for field, value in rules.ListFields()}
    for name, (text, compare) in _COMPARISONS.items():
        if name in given:
            yield partial(_compared, read, compare, given[name]), f"{text} {_show(given[name])}"
    if "in" in given:
        yield (lambda v: v in given["in"]), f"must be one of {list(given['in'])}"
    if "not_in" in given:
        yield (lambda v: v not in given["not_in"]), f"must be none of {list(given['not_in'])}"


def _show(bound: Any) -> str:
    return f"{bound.seconds + bound.nanos / 1e9:g}s" if hasattr(bound, "seconds") else str(bound)


def _duration(rules: validate_pb2.DurationRules) -> Tests:
    yield from _bounds(rules, lambda v: (v.seconds, v.nanos))


def _any(rules: validate_pb2.AnyRules) -> Tests:
    if getattr(rules, "in"):
        yield (lambda v: v.type_url in getattr(rules, "in")), "its type is not allowed here"


def _enum(rules: validate_pb2.EnumRules) -> Tests:
    yield from _bounds(rules, lambda v: v)


def _bytes(rules: validate_pb2.BytesRules) -> Tests:
    if rules.min_len:
        yield (lambda v: len(v) >= rules.min_len), f"at least {rules.min_len} bytes needed"
    if rules.max_len:
        yield (lambda v: len(v) <= rules.max_len), f"at most {rules.max_len} bytes allowed"


def _string(rules: validate_pb2.StringRules) -> Tests:
    if rules.min_len:
        yield (lambda v: len(v) >= rules.min_len), f"at least {rules.min_len} characters needed"
    if rules.min_bytes:
        yield (
            (lambda v: len(v.encode()) >= rules.min_bytes),
            "must not be empty" if rules.min_bytes == 1 else "too short",
        )
    if rules.max_len:
        yield (lambda v: len(v) <= rules.max_len), f"at most {rules.max_len} characters allowed"
    if rules.max_bytes:
        yield (
            (lambda v: len(v.encode()) <= rules.max_bytes),
            f"at most {rules.max_bytes} bytes allowed",
        )
    if rules.pattern:
        pattern = re.compile(rules.pattern.replace("\\C", "."))
        yield (lambda v: pattern.search(v) is not None), f"must match {rules.pattern}"
    if rules.prefix:
        yield (lambda v: v.startswith(rules.prefix)), f"must begin with {rules.prefix}"
    if rules.suffix:
        yield (lambda v: v.endswith(rules.suffix)), f"must end with {rules.suffix}"
    if rules.contains:
        yield (lambda v: rules.contains in v), f"must contain {rules.contains}"
    if rules.WhichOneof("well_known") in ("ip", "ipv4", "ipv6"):
        yield is_ip, "must be an IP address"
    if rules.well_known_regex == validate_pb2.HTTP_HEADER_NAME:
        yield (lambda v: not v or _HEADER_NAME.match(v) is not None), "is no header name"
    elif rules.well_known_regex == validate_pb2.HTTP_HEADER_VALUE:
        yield (
            (lambda v: _HEADER_VALUE.match(v) is not None),
            "has characters no header value may have",
        )
    if getattr(rules, "in"):
        yield (lambda v: v in getattr(rules, "in")), f"must be one of {list(getattr(rules, 'in'))}"
    if rules.not_in:
        yield (lambda v: v not in rules.not_in), f"must be none of {list(rules.not_in)}"


_TESTS: dict[str, Callable[[Any], Tests]] = {
    "string": _string,
    "bytes": _bytes,
    "enum": _enum,
    "duration": _duration,
    "any": _any,
}
"""By the member of `FieldRules.type`; all others are numbers."""
