"""Merging messages as Istio does: like protobuf's own merge, but a Duration replaces the other as a
whole."""

from __future__ import annotations

from typing import Any

from google.protobuf.any_pb2 import Any as AnyMessage

from varka.envoy.messagetypes import load_type, type_name, unpacked
from varka.envoy.wkt import pack

_DURATION = "google.protobuf.Duration"


def merge(into: Any, patch: Any, *, replace_lists: bool = False) -> None:
    """Merge `patch` into `into`, both of one type. Lists append unless `replace_lists`; set scalars
    win."""
    for field, value in patch.ListFields():
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            _merge_map(
                getattr(into, field.name),
                value,
                field.message_type.fields_by_name["value"].message_type is not None,
            )
        elif isinstance(value, (str, bytes, int, float, bool)):
            setattr(into, field.name, value)
        elif field.is_repeated:
            if replace_lists:
                into.ClearField(field.name)
            getattr(into, field.name).extend(value)
        elif field.message_type.full_name == _DURATION:
            getattr(into, field.name).CopyFrom(value)
        else:
            target = getattr(into, field.name)
            target.SetInParent()
            merge(target, value, replace_lists=replace_lists)


def _merge_map(into: Any, patch: Any, messages: bool) -> None:
    for key, value in patch.items():
        if messages:
            into[key].CopyFrom(value)
        else:
            into[key] = value


def merged_any(base: AnyMessage, patch: AnyMessage) -> AnyMessage | None:
    """Both configurations merged when they are of one type, else None."""
    name = type_name(base)
    if name != type_name(patch) or not load_type(name):
        return None
    result = unpacked(base)
    merge(result, unpacked(patch))
    return pack(result)
