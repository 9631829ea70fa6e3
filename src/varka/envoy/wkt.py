"""Protobuf's well-known types from plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration as DurationMessage
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from google.protobuf.wrappers_pb2 import BoolValue, DoubleValue, StringValue, UInt32Value

from varka.base.duration import Duration

_BILLION = 10**9
_LENGTH_DELIMITED = 2


def duration(value: Duration | int) -> DurationMessage:
    """From nanoseconds. Seconds and nanos have the same sign, as protobuf wants it."""
    seconds, nanos = divmod(abs(int(value)), _BILLION)
    return (
        DurationMessage(seconds=seconds, nanos=nanos)
        if value >= 0
        else DurationMessage(seconds=-seconds, nanos=-nanos)
    )


def seconds(value: float) -> DurationMessage:
    return duration(Duration.seconds(value))


def uint32(value: int) -> UInt32Value:
    return UInt32Value(value=value)


def boolean(value: bool) -> BoolValue:
    return BoolValue(value=value)


def double(value: float) -> DoubleValue:
    return DoubleValue(value=value)


def string(value: str) -> StringValue:
    return StringValue(value=value)


def pack(message: Any) -> AnyMessage:
    """A message as `google.protobuf.Any`, serialised deterministically so that equal content is
    equal bytes."""
    return AnyMessage(
        type_url="type.googleapis.com/" + message.DESCRIPTOR.full_name,
        value=message.SerializeToString(deterministic=True),
    )


def set_unknown(message: Message, number: int, value: Any) -> None:
    """Set a field that Envoy has and the class of `message` hasn't: protobuf keeps it and sends it
    along. `value` is a small message (under 128 bytes), `number` the field's (under 16)."""
    content = value.SerializeToString(deterministic=True)
    message.MergeFromString(bytes((number << 3 | _LENGTH_DELIMITED, len(content))) + content)


def struct(mapping: Mapping[str, Any]) -> Struct:
    """From JSON-like values; tuples are lists."""
    result = Struct()
    for key, value in mapping.items():
        _fill(result.fields[key], value)
    return result


def _fill(target: Any, value: Any) -> None:
    if value is None:
        target.null_value = 0
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, (int, float)):
        target.number_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, Mapping):
        target.struct_value.SetInParent()
        for key, item in value.items():
            _fill(target.struct_value.fields[key], item)
    elif isinstance(value, Sequence):
        target.list_value.SetInParent()
        for item in value:
            _fill(target.list_value.values.add(), item)
    else:
        raise TypeError(f"not a JSON value: {value!r}")
