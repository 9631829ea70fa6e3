#!/usr/bin/env python3
"""Write type stubs for the protobuf messages that this project imports, and all that these refer
to: tools/make_stubs.py FOLDER

xds-protos has no types. With these stubs a misspelt field of an Envoy message, or a value of the
wrong type, fails the type check.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

from google.protobuf import descriptor_pb2
from google.protobuf.compiler import plugin_pb2
from google.protobuf.descriptor import FileDescriptor
from mypy_protobuf.main import Descriptors, generate_mypy_stubs

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("src", "tests", "testbed", "tools", "benchmarks")
PACKAGES = ("envoy", "udpa", "xds", "validate", "opentelemetry")


def imported() -> Iterator[str]:
    """Modules of messages that our modules import."""
    for folder in SOURCES:
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if not isinstance(node, ast.ImportFrom) or not node.module:
                    continue
                module = node.module
                if module.partition(".")[0] in PACKAGES:
                    names = (alias.name for alias in node.names if alias.name.endswith("_pb2"))
                    yield from (f"{module}.{name}" for name in names)


def with_dependencies(
    file: FileDescriptor, known: dict[str, descriptor_pb2.FileDescriptorProto]
) -> None:
    """Add a file to those that are known, after all that it imports."""
    if file.name not in known:
        for dependency in file.dependencies:
            with_dependencies(dependency, known)
        copy = descriptor_pb2.FileDescriptorProto()
        file.CopyToProto(copy)
        known[file.name] = copy


def main() -> int:
    target = Path(sys.argv[1])
    files: dict[str, descriptor_pb2.FileDescriptorProto] = {}
    for module in sorted(set(imported())):
        with_dependencies(importlib.import_module(module).DESCRIPTOR, files)
    request = plugin_pb2.CodeGeneratorRequest(
        proto_file=files.values(),
        file_to_generate=[name for name in files if name.partition("/")[0] in PACKAGES],
    )
    response = plugin_pb2.CodeGeneratorResponse()
    generate_mypy_stubs(
        Descriptors(request),
        response,
        quiet=True,
        readable_stubs=True,
        relax_strict_optional_primitives=False,
        use_default_deprecation_warnings=False,
        generate_concrete_servicer_stubs=False,
    )
    for stub in response.file:
        path = target / stub.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(stub.content)
        for folder in path.relative_to(target).parents[:-1]:  # Else the packages without types win.
            (target / folder / "__init__.pyi").touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
