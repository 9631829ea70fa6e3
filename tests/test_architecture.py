"""The document on the architecture speaks of what is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs/architecture.md").read_text()
STOPS = re.findall(r"^\d+\. `([\w/]+\.py)` `([\w.]+)`", TEXT, re.MULTILINE)


def definitions(tree: ast.AST, prefix: str = "") -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield f"{prefix}{node.name}"
            yield from definitions(node, f"{prefix}{node.name}.")


@pytest.mark.parametrize(("file", "function"), STOPS)
def test_every_stop_of_a_walk_exists(file: str, function: str) -> None:
    tree = ast.parse((ROOT / "src/varka" / file).read_text())
    assert function in set(definitions(tree))


def test_the_walks_are_short() -> None:
    weight, acknowledgement = (
        len(re.findall(r"^\d+\. `", TEXT.partition(title)[2].partition("\n## ")[0], re.MULTILINE))
        for title in ("## The way of a weight", "## The way of an acknowledgement")
    )
    assert 0 < weight <= 15
    assert 0 < acknowledgement <= 7


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([\w/]+/[\w/]*\w\.py)`", TEXT))))
def test_files_that_are_named_exist(name: str) -> None:
    places = (ROOT / "src/varka", ROOT / "src/varka/envoy", ROOT / "src/varka/xds", ROOT)
    assert any((place / name).is_file() for place in places)
