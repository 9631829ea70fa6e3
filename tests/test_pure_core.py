"""The core does no IO and asks for no time: what import-linter cannot say, because only a part of a
module does IO or because nothing is imported for it. Files of the package itself (schemas) are read
with `pkgutil.get_data`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import varka

SOURCE = Path(varka.__file__).parent
CORE = ("resources", "registry", "mesh", "proxy", "envoy", "analyze", "configdump", "inject")
FUNCTIONS = {"open", "input", "print", "breakpoint", "exec", "eval"}
MODULES = {"http.client", "http.server", "urllib.request"}
METHODS = {
    *(
        "read_text",
        "read_bytes",
        "write_text",
        "write_bytes",
        "iterdir",
        "rglob",
        "mkdir",
        "unlink",
    ),
    *("now", "utcnow", "today"),
}
"""Of paths and of clocks; nothing else in the core has methods of these names."""


def faults(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in FUNCTIONS:
                yield f"{node.lineno}: {name}()"
            case ast.Attribute(attr=name) if name in METHODS:
                yield f"{node.lineno}: .{name}"
            case ast.Import(names=names):
                yield from (f"{node.lineno}: {n.name}" for n in names if n.name in MODULES)
            case ast.ImportFrom(module=module, names=names):
                wanted = {str(module), *(f"{module}.{n.name}" for n in names)}
                yield from (f"{node.lineno}: {name}" for name in sorted(wanted & MODULES))


@pytest.mark.parametrize("package", CORE)
def test_the_core_does_no_io(package: str) -> None:
    files = sorted((SOURCE / package).rglob("*.py"))
    assert files
    assert [
        f"{file.relative_to(SOURCE)}:{fault}"
        for file in files
        for fault in faults(ast.parse(file.read_text()))
    ] == []


@pytest.mark.parametrize(
    "text",
    [
        "open('x')",
        "def f(path):\n return path.read_text()",
        "import urllib.request",
        "from urllib import request",
        "from http.client import HTTPConnection",
        "datetime.now(UTC)",
    ],
)
def test_io_is_seen(text: str) -> None:
    assert list(faults(ast.parse(text)))


def test_shared_parts_do_not_import_tests() -> None:
    root = SOURCE.parent.parent
    importing = [
        str(file.relative_to(root))
        for folder in ("tools", "testbed", "benchmarks", "demo")
        for file in sorted((root / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text()))
        if (isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "tests")
        or (isinstance(node, ast.Import) and any(n.name.startswith("tests") for n in node.names))
    ]
    assert importing == []
