"""Documents of which every line stands for itself, read without a YAML parser.

Nearly all manifests are block mappings and lists with at most one key and one value a line. In such
a document the meaning of a line depends on nothing but its own text, and its place in the tree on
nothing but the columns of its dash and key. So each distinct line is looked at once (`_entry`,
remembered), and a document is put together from what the lines are (`read_blocks`).

What is read here is exactly what libyaml makes of it. Whatever is not certain is refused and left
to the parser (`composer`): scalars over several lines, anchors, aliases, tags, duplicate keys,
control characters, indentation that fits nothing. A flow collection or a string with escapes is
YAML by itself when it ends on its line; the parser is asked for that value alone.

Why not a faster parser: those that build Python values do not tell `"on"` from `on`, which
Kubernetes' rules need (`scalars`), and those that keep the style hand out nodes one call at a time,
which costs more than libyaml does.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from varka.resources.scalars import Scalar, key_text, resolve_plain

_LINE = re.compile(
    # A hundred columns keep the nesting shallow; libyaml ends keys at 1024 characters.
    r"""
    (?P<indent>[ ]{0,99})
    (?P<dash>-[ ]{1,9})?
    (?:(?:
        (?P<key>[\w./][\w./:-]{0,200})
        | "(?P<double_key>[^"\\]{0,200})"
        | '(?P<single_key>[^']{0,200})'
    ):(?=[ ]|\Z)[ ]*)?
    (?:
        (?P<plain>[\w./$+()~^<=;\\-][^ ]*(?:[ ]+[^ ]+)*)
        | "(?P<double>[^"\\]*)"
        | '(?P<single>[^']*)'
        | (?P<flow>[\[{"'].*)
    )?
    [ ]*
    (?:(?:(?<=[ ])|\A)\#.*)?
    """,
    re.ASCII | re.VERBOSE,
)


class Block(NamedTuple):
    """A document's value and where its first key or dash is, counted from 0."""

    value: Any
    row: int = 0
    column: int = 0


_Entry = tuple[int, int, str | None, Scalar, str | None, bool]
"""What one line is: the column of its dash (-1 without one), the column of what follows the dash or
the indentation, the key, the value, the key again when nothing is behind it (the next lines may
hold its value), and whether the value is the text of a collection (each document needs its own)."""


class _Uncertain(Exception):
    """Only the parser can tell what is meant."""


def read_blocks(text: str) -> Block | None:
    """The only document of a text (its value is None when it is empty); None when that is for the
    parser to tell."""
    lines = text.split("\n")
    if lines[0].startswith("---"):
        if lines[0].rstrip(" ") != "---":
            return None
        lines[0] = ""
    try:
        entries = list(map(_entry, lines))
        value = _tree(entries)
    except _Uncertain:
        return None
    for row, entry in enumerate(entries):
        if entry is not None:
            dash, column, *_ = entry
            return Block(value, row, column if dash < 0 else dash)
    return Block(None)


def _tree(entries: list[_Entry | None]) -> Any:
    """`node` is the collection that the last line belongs to, `at` the column where its entries
    begin, `stack` holds it and those it is in. The outermost has one key, which waits for the
    document."""
    outermost: dict[str, Any] = {}
    stack: list[tuple[int, Any]] = [(-1, outermost)]
    waiting: str | None = ""
    at, node = stack[0]
    for entry in entries:
        if entry is None:
            continue
        dash, column, key, value, opens, flow = entry
        if flow:
            value = _flow(value)
        if dash >= 0:
            node = _collection(stack, waiting, dash, list)
            if key is None:
                node.append(value)
                waiting, at = None, dash
                continue
            inner: dict[str, Any] = {}
            node.append(inner)
            node, at = inner, column
            stack.append((column, inner))
        elif at != column or node.__class__ is list:
            node, at = _collection(stack, waiting, column, dict), column
        if key in node:
            raise _Uncertain
        node[key] = value
        waiting = opens
    return outermost.get("")


def _collection(
    stack: list[tuple[int, Any]], waiting: str | None, column: int, kind: type[Any]
) -> Any:
    """The list or mapping whose entries begin at a column: a new one for the key that waits for its
    value if this is deep enough (a list may be at its key's column), else one that goes on."""
    at, node = stack[-1]
    if waiting is not None and (column > at or (column == at and kind is list)):
        node[waiting] = inner = kind()
        stack.append((column, inner))
        return inner
    while at > column or (at == column and kind is dict and node.__class__ is list):
        stack.pop()
        at, node = stack[-1]
    if at != column or node.__class__ is not kind:
        raise _Uncertain
    return node


@lru_cache(maxsize=8192)
def _entry(line: str) -> _Entry | None:
    """None for a line without content."""
    match = _LINE.fullmatch(line)
    if match is None or not line.isprintable():  # without tabs, odd line breaks, byte order marks
        raise _Uncertain
    indent, dash, plain_key, double_key, single_key, plain, double, single, flow = match.groups()
    key = (
        _key(plain_key)
        if plain_key is not None
        else double_key
        if double_key is not None
        else single_key
    )
    value = flow or (double if double is not None else single)
    if plain is not None:
        value = _plain(plain)
    empty = plain is None and value is None
    if key is None and empty and dash is None:
        return None
    if key is None and (empty or dash is None):
        raise _Uncertain
    column = len(indent)
    opens = key if empty else None
    if dash is None:
        return -1, column, key, value, opens, flow is not None
    return column, column + len(dash), key, value, opens, flow is not None


def _plain(text: str) -> Scalar:
    if "#" in text:
        text = text.partition(" #")[0].rstrip(" ")
    if ": " in text or text[-1] == ":" or text == "-" or text.startswith("- "):
        raise _Uncertain
    return resolve_plain(text)


@lru_cache(maxsize=1024)
def _key(text: str) -> str:
    return key_text(resolve_plain(text))


def _flow(text: Any) -> Any:
    if text in ("{}", "[]"):
        return {} if text == "{}" else []
    from varka.resources.composer import flow_value

    if "&" in text and text[0] in "[{":  # an anchor must be the only one in its document
        raise _Uncertain
    try:
        return flow_value(text)
    except ValueError:
        raise _Uncertain from None
