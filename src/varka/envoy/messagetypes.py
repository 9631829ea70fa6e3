"""Protobuf types by name: loads the modules of xds-protos that hold them when they are first
needed."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.any_pb2 import Any as AnyMessage

_ROOTS = ("envoy", "xds", "udpa")


def type_names(value: Any) -> Iterator[str]:
    """Full names of all `@type`s in plain JSON values."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key == "@type" and isinstance(item, str):
                yield item.rpartition("/")[2]
            else:
                yield from type_names(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from type_names(item)


def load_type(name: str) -> bool:
    """Make sure that a message type is known to protobuf; False when xds-protos has no such
    type."""
    pool = descriptor_pool.Default()
    for attempt in (False, True):
        if attempt:
            _import_package(name.rpartition(".")[0])
        try:
            pool.FindMessageTypeByName(name)
            return True
        except KeyError:
            continue
    return False


def type_name(value: AnyMessage) -> str:
    """The full name of the message inside an Any."""
    return str(value.type_url.rpartition("/")[2])


def unpacked(value: AnyMessage) -> Any:
    """The message inside an Any whose type is loaded."""
    descriptor = descriptor_pool.Default().FindMessageTypeByName(type_name(value))
    return message_factory.GetMessageClass(descriptor).FromString(value.value)


def _import_package(package: str) -> None:
    if package.split(".", maxsplit=1)[0] not in _ROOTS or not re.fullmatch(r"\w+(\.\w+)*", package):
        return
    try:
        folders = importlib.import_module(package).__path__
    except (ImportError, AttributeError):
        return
    for module in pkgutil.iter_modules(folders):
        if module.name.endswith("_pb2"):
            importlib.import_module(f"{package}.{module.name}")
