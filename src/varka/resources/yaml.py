"""YAML and JSON text to plain values, fast, with the position of any field on demand.

A stream is cut at its `---` lines. Documents written one entry a line are read without a parser
(`blocks`), the others, and all that are wrong, by libyaml (`composer`): the value is the same
either way. Positions of fields are not kept; whoever needs one asks the document, which composes
its text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from varka.resources.blocks import read_blocks
from varka.resources.mark import Mark, Path, Problem

__all__ = ["Document", "Mark", "Path", "Problem", "documents", "parse_value"]

_SEPARATOR = re.compile(r"\n(?=---(?:[ \t\n]|\Z))")


class Document(msgspec.Struct, frozen=True, eq=False):
    """One document of a stream: its plain value and where it begins. Equal texts make equal
    documents."""

    value: Any
    mark: Mark
    text: str
    """What has to be composed to find positions."""
    index: int
    first_line: int
    """Lines before `text` in the file."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Document) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[object, ...]:
        return self.mark, self.index, self.first_line, self.text

    def find(self, path: Path) -> Mark:
        """The position of the key (or list item) that `path` leads to; of its nearest parent when
        it isn't there. A path may go on inside a block of text that is YAML itself (`data.mesh` of
        a ConfigMap)."""
        from varka.resources.composer import find

        return find(self.text, self.index, self.first_line, path)


def documents(text: str) -> tuple[list[Document], list[Problem]]:
    """All documents of a stream that can be read (empty ones are left out), and every reason why
    others can't."""
    found: list[Document] = []
    problems: list[Problem] = []
    for first_line, part in _parts(text.removeprefix("\ufeff")):
        block = read_blocks(part)
        if block is None:
            from varka.resources.composer import compose

            composed, wrong = compose(part, first_line)
            found += [
                Document(one.value, one.mark, one.text, one.index, one.first_line)
                for one in composed
            ]
            problems += wrong
        elif block.value is not None:
            mark = Mark(first_line + block.row + 1, block.column + 1)
            found.append(Document(block.value, mark, part, 0, first_line))
    return found, problems


def parse_value(text: str) -> Any:
    """The value of the only document of a text, None when it is empty. Raises ValueError naming
    line and column."""
    found, problems = documents(text)
    if problems:
        first = problems[0]
        raise ValueError(f"{first.mark.line}:{first.mark.column}: {first.message}")
    if len(found) > 1:
        raise ValueError(f"{found[1].mark.line}:1: one document was expected")
    return found[0].value if found else None


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """The documents of a stream, each with the number of lines before it. A stream with directives
    or with rare line breaks is left whole: its `---` lines can't be told so easily."""
    unix = text.replace("\r\n", "\n")
    odd = "\r" in unix or unix.startswith("%") or "\n%" in unix
    if odd or not (unix.isascii() or set(unix).isdisjoint("\x85\u2028\u2029")):
        yield 0, text
        return
    text = unix
    line, start = 0, 0
    for match in _SEPARATOR.finditer(text):
        yield line, text[start : match.end()]
        line += text.count("\n", start, match.end())
        start = match.end()
    yield line, text[start:]
