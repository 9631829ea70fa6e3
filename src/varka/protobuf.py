"""Imports Envoy's protobuf modules without running them.

A generated `*_pb2` module makes a Python class of every message, nested ones included, and of all
that it imports: most of a start, and most is never used. With `install`, such a module is its file
descriptor only, read from the compiled module; a message's class is made when it is first asked
for. protobuf keeps one pool of descriptors and one class for each of them, so that modules which
were imported in the ordinary way mix with these.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib.machinery import ModuleSpec, SourceFileLoader
from os.path import isdir, isfile
from types import ModuleType

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import Default
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.message_factory import GetMessageClass

_PACKAGES = ("envoy.", "udpa.", "xds.", "validate.", "opentelemetry.", "cel.", "google.rpc.")
"""Of xds-protos. protobuf's own modules, google.protobuf, are imported as they are."""


def install() -> None:
    """Import the modules of xds-protos this way from now on."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder:
    """Finds the modules of messages and the empty packages that hold them."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, _: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not path or not name.startswith(_PACKAGES):
            return None
        for folder in path:
            place = f"{folder}/{name.rpartition('.')[2]}"
            if name.endswith("_pb2"):
                file = f"{place}.py"
                if isfile(file):
                    return ModuleSpec(name, _Loader(name, file), origin=file)
            elif isdir(place):
                package = ModuleSpec(name, None, is_package=True)
                package.submodule_search_locations = [place]
                return package
        return None


class _Loader(SourceFileLoader):
    """Executes a module of messages by registering its file descriptor."""

    def exec_module(self, module: ModuleType) -> None:
        file = _registered(self.path.removesuffix(_path(self.name)), self.name)
        member: Callable[[str], object] = partial(_member, module)
        vars(module).update(DESCRIPTOR=file, __getattr__=member)


def _registered(site: str, name: str) -> FileDescriptor:
    """What a module below the folder `site` declares, in protobuf's pool, after the files that it
    refers to."""
    serialized = serialized_descriptor(site, name)
    proto = FileDescriptorProto.FromString(serialized)
    if known := _known(proto.name):
        return known
    for dependency in proto.dependency:
        module = module_name(dependency)
        if not module.startswith(_PACKAGES):
            importlib.import_module(module)
        elif not _known(dependency):
            _registered(site, module)
    return Default().AddSerializedFile(serialized)


def _known(proto: str) -> FileDescriptor | None:
    try:
        return Default().FindFileByName(proto)
    except KeyError:
        return None


def module_name(proto: str) -> str:
    """The module that is generated for a .proto file."""
    return proto.removesuffix(".proto").replace("-", "_").replace("/", ".") + "_pb2"


def serialized_descriptor(site: str, name: str) -> bytes:
    """The file descriptor that a generated module below the folder `site` registers: its longest
    constant, since the others are the options that it contains."""
    code = SourceFileLoader(name, site + _path(name)).get_code(name)
    assert code is not None
    return max((c for c in code.co_consts if isinstance(c, bytes)), key=len)


def _path(module: str) -> str:
    return module.replace(".", "/") + ".py"


def _member(module: ModuleType, name: str) -> object:
    """The module's `__getattr__`: makes what its file declares under a name, once."""
    made = _declared(module.DESCRIPTOR, name)
    if made is None:
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
    setattr(module, name, made)
    return made


def _declared(file: FileDescriptor, name: str) -> object:
    if message := file.message_types_by_name.get(name):
        return GetMessageClass(message)
    if enum := file.enum_types_by_name.get(name):
        return EnumTypeWrapper(enum)
    if extension := file.extensions_by_name.get(name):
        return extension
    for enum in file.enum_types_by_name.values():
        if value := enum.values_by_name.get(name):
            return value.number
    return None
