"""libyaml's reading of YAML text: values, positions of fields, and every reason why a document
can't be read.

Values are built straight from libyaml's nodes; positions of fields are not kept. Whoever needs one
composes the text again (`find`). Every syntax error of a stream is reported: when one document
can't be read, the stream is cut at its `---` lines and the others are still read.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import yaml as pyyaml
from msgspec import Struct
from yaml.cyaml import CParser  # type: ignore[attr-defined]
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from varka.resources.mark import Mark, Path, Problem
from varka.resources.scalars import key_text, resolve_plain

_PLAIN, _TEXT = "plain", "text"
_SEPARATOR = re.compile(r"^---(?=[ \t\r\n\x85\u2028\u2029]|\Z)", re.MULTILINE)


class _Parser(CParser):
    """libyaml's composer; only tells plain scalars from quoted ones."""

    def resolve(self, kind: type, value: object, implicit: Any) -> str:
        return _PLAIN if kind is ScalarNode and implicit[0] else _TEXT

    def descend_resolver(self, current_node: object, current_index: object) -> None:
        """Tags by path are not used."""

    def ascend_resolver(self) -> None:
        """Tags by path are not used."""


class _Unreadable(Exception):
    def __init__(self, message: str, node: Node) -> None:
        super().__init__(message)
        self.node = node


class _Builder:
    """Plain values from the nodes of one document."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        """Values that may still be made: aliases of aliases grow exponentially."""
        self.problems: list[tuple[str, Node]] = []

    def value(self, node: Node) -> Any:
        if isinstance(node, ScalarNode):
            tag = node.tag
            if tag is _PLAIN:
                return resolve_plain(node.value)
            return node.value if tag is _TEXT else _tagged(node)
        self.budget -= len(node.value)
        if self.budget < 0:
            raise _Unreadable("the document's aliases expand to too much", node)
        if isinstance(node, SequenceNode):
            return [self.value(item) for item in node.value]
        assert isinstance(node, MappingNode)
        return self._mapping(node)

    def _mapping(self, node: MappingNode) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: list[Node] = []
        for key, item in node.value:
            if not isinstance(key, ScalarNode):
                self.problems.append(("a key must be a scalar", key))
            elif key.value == "<<" and key.tag is _PLAIN:
                merged.append(item)
            else:
                name = key.value if key.tag is _TEXT else _key(key)
                if name in found:
                    self.problems.append((f"key {name!r} is already set in this mapping", key))
                found[name] = self.value(item)
        for item in merged:
            self._merge(item, found)
        return found

    def _merge(self, node: Node, into: dict[str, Any]) -> None:
        for source in node.value if isinstance(node, SequenceNode) else [node]:
            if not isinstance(source, MappingNode):
                raise _Unreadable("<< needs a mapping or a list of mappings", source)
            for key, value in self._mapping(source).items():
                into.setdefault(key, value)


def _key(node: ScalarNode) -> str:
    return _plain_key(node.value) if node.tag is _PLAIN else key_text(_tagged(node))


@lru_cache(maxsize=4096)
def _plain_key(text: str) -> str:
    return key_text(resolve_plain(text))


def _tagged(node: ScalarNode) -> Any:
    """A scalar with an explicit tag; tags that JSON has no word for leave the text as it is."""
    kind = node.tag.removeprefix("tag:yaml.org,2002:")
    value = resolve_plain(node.value)
    if kind == "binary":
        return base64.b64decode(node.value).decode(errors="replace")
    if kind == "float" and isinstance(value, int | float) and not isinstance(value, bool):
        return value
    wanted: dict[str, type] = {"int": int, "bool": bool, "null": type(None), "float": float}
    if kind in wanted and type(value) is not wanted[kind]:
        raise _Unreadable(f"{node.value!r} is no !!{kind}", node)
    return value if kind in wanted else node.value


class Composed(Struct, frozen=True):
    """The value of one document, where it begins, and what has to be composed to find it again."""

    value: Any
    mark: Mark
    text: str
    index: int
    first_line: int
    """Lines before `text` in the file."""


def compose(text: str, first_line: int = 0) -> tuple[list[Composed], list[Problem]]:
    """All documents of a text that can be read (empty ones are left out), and every reason why
    others can't."""
    try:
        return _read(text, first_line)
    except (pyyaml.YAMLError, _Unreadable, RecursionError):
        pass
    found: list[Composed] = []
    problems: list[Problem] = []
    for line, part in _pieces(text):
        try:
            read, wrong = _read(part, first_line + line)
        except (pyyaml.YAMLError, _Unreadable, RecursionError) as error:
            read, wrong = [], [_problem(error, first_line + line)]
        found += read
        problems += wrong
    return found, problems


def find(text: str, index: int, first_line: int, path: Path) -> Mark:
    """The position of the key (or list item) that `path` leads to in a document; of its nearest
    parent when it isn't there. A path may go on inside a block of text that is YAML itself
    (`data.mesh` of a ConfigMap)."""
    where, node, rest = _descend(_composed(text)[index], path)
    mark = _mark(where, first_line)
    return (
        mark
        if not rest or not isinstance(node, ScalarNode) or node.style != "|"
        else _inside(text, node, rest, mark, first_line)
    )


def flow_value(text: str) -> Any:
    """The value of a text that is one flow collection or quoted string and nothing else. Raises
    ValueError when it is more, or can't be read."""
    try:
        nodes = list(_nodes(text))
        builder = _Builder(len(text))
        node = nodes[0]
        value = builder.value(node)
    except (pyyaml.YAMLError, _Unreadable, RecursionError) as error:
        raise ValueError(str(error)) from None
    quoted = isinstance(node, ScalarNode) and node.tag is _TEXT
    if len(nodes) > 1 or builder.problems or not (quoted or getattr(node, "flow_style", False)):
        raise ValueError("not one flow value")
    return value


def _inside(text: str, block: ScalarNode, path: Path, outside: Mark, first_line: int) -> Mark:
    try:
        where, _, _ = _descend(next(_nodes(block.value)), path)
    except (pyyaml.YAMLError, StopIteration):
        return outside
    first = block.start_mark.line + 1
    indented, plain = (
        text.splitlines()[first + where.start_mark.line],
        block.value.splitlines()[where.start_mark.line],
    )
    return Mark(
        first + where.start_mark.line + 1 + first_line,
        len(indented) - len(plain) + where.start_mark.column + 1,
    )


def _read(text: str, first_line: int) -> tuple[list[Composed], list[Problem]]:
    found: list[Composed] = []
    problems: list[Problem] = []
    for index, node in enumerate(_nodes(text)):
        builder = _Builder(100_000 + 2 * len(text))
        value = builder.value(node)
        if builder.problems:
            problems += [
                Problem(message, _mark(where, first_line)) for message, where in builder.problems
            ]
        elif value is not None:
            found.append(Composed(value, _mark(node, first_line), text, index, first_line))
    return found, problems


@lru_cache(maxsize=1)
def _composed(text: str) -> tuple[Node, ...]:
    """Many questions in a row are about one text."""
    return tuple(_nodes(text))


def _nodes(text: str) -> Iterator[Node]:
    parser = _Parser(text)
    while parser.check_node():
        node = parser.get_node()
        if node is not None:
            yield node


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    starts = [0, *(match.start() for match in _SEPARATOR.finditer(text) if match.start() > 0)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        yield text.count("\n", 0, start), text[start:end]


def _mark(node: Node, first_line: int) -> Mark:
    return Mark(node.start_mark.line + 1 + first_line, node.start_mark.column + 1)


def _problem(error: Exception, first_line: int) -> Problem:
    if isinstance(error, _Unreadable):
        return Problem(str(error), _mark(error.node, first_line))
    if isinstance(error, RecursionError):
        return Problem("nested too deeply, or an anchor contains itself", Mark(first_line + 1, 1))
    if isinstance(error, pyyaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        message = ", ".join(part for part in (error.context, error.problem) if part)
        if mark is not None:
            return Problem(message, Mark(mark.line + 1 + first_line, mark.column + 1))
    return Problem(str(error).splitlines()[0], Mark(first_line + 1, 1))


def _descend(node: Node, path: Path) -> tuple[Node, Node, Path]:
    """The key where the path ends, its value, and the steps for which there is nothing."""
    where = node
    for at, step in enumerate(path):
        found: tuple[Node, Node] | None = None
        if isinstance(node, MappingNode):
            found = next(
                (
                    (key, item)
                    for key, item in node.value
                    if isinstance(key, ScalarNode) and _same(key, step)
                ),
                None,
            )
        elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
            found = (node.value[step], node.value[step])
        if found is None:
            return where, node, path[at:]
        where, node = found
    return where, node, ()


def _same(key: ScalarNode, step: str | int) -> bool:
    return bool(key.value == step) or (
        key.tag is _PLAIN and key_text(resolve_plain(key.value)) == step
    )
