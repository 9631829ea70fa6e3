"""Protobuf types by name: loads the modules of xds-protos that hold them when they are first
needed."""

from __future__ import annotations

import importlib
import pkgutil
import re

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from udpa.annotations import status_pb2

_ROOTS = ("envoy", "xds", "udpa")


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


def is_frozen(kind: Descriptor) -> bool:
    """Whether a type is of a version of Envoy's API that is closed: version 2, which no Envoy
    reads any more."""
    status = kind.file.GetOptions().Extensions[status_pb2.file_status]
    return bool(status.package_version_status == status_pb2.FROZEN)


def successor(name: str) -> str:
    """The type that took the place of a frozen one; "" where none is found by its name. Filters and
    loggers moved from `envoy.config.KIND.NAME.v2` to `envoy.extensions.KIND.NAME.v3`."""
    moved = re.sub(r"\.v2(alpha\d*)?\.", ".v3.", name)
    for newer in (
        moved,
        moved.replace("envoy.config.filter.", "envoy.extensions.filters.", 1),
        moved.replace("envoy.config.accesslog.", "envoy.extensions.access_loggers.file.", 1),
        moved.replace("envoy.api.v2.auth.", "envoy.extensions.transport_sockets.tls.v3.", 1),
    ):
        if newer != name and load_type(newer):
            kind = descriptor_pool.Default().FindMessageTypeByName(newer)
            if not is_frozen(kind):
                return newer
    return ""


def type_name(value: AnyMessage) -> str:
    """The full name of the message inside an Any."""
    return str(value.type_url.rpartition("/")[2])


def unpacked(value: AnyMessage) -> Message:
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
