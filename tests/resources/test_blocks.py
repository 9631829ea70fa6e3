"""Reading without a parser gives what libyaml's composer gives, or leaves the document to it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from varka.resources import composer
from varka.resources.blocks import Block, read_blocks
from varka.resources.composer import compose
from varka.resources.yaml import Document, Mark, documents

SCALARS = [
    *(
        "a",
        "b-c",
        "yes",
        "No",
        "on",
        "y",
        "null",
        "~",
        "true",
        "010",
        "08",
        "0x1f",
        "0o17",
        "1_000",
    ),
    *(
        "1e3",
        "1.0",
        ".5",
        "-1",
        "-",
        "--",
        "+",
        "- a",
        "12:30:45",
        "2001-12-14",
        "a:b",
        "a: b",
        "a:",
    ),
    *(
        "a #b",
        "a#b",
        "#a",
        "a b",
        "a  b ",
        "''",
        '""',
        "'a'",
        "'it''s'",
        '"a"',
        '"a\\n"',
        '"a',
        "'",
    ),
    *(
        "[]",
        "{}",
        "[a, 'b']",
        "{a: b, c: [1, yes]}",
        "{a: 1, a: 2}",
        "[a",
        "a]",
        "[a]: b",
        "{a: b}: c",
    ),
    *(
        "[a] # b",
        "[&a x, *a]",
        "*a",
        "&a b",
        "!!str 1",
        "|",
        ">-",
        "? a",
        "@a",
        "`a`",
        "%a",
        "=",
        "<<",
    ),
    *(
        "...",
        "---",
        "--- a",
        "1" * 30,
        "1.5e400",
        "1" * 5000,
        "1" * 5000,
        ".nan",
        "-.inf",
        "é",
        "\u201ca\u201d",
        "a\tb",
        "\ufeffa",
    ),
    *(
        "a\x85b",
        "a\u2028b",
        "x" * 1100,
        "123456789012345678901234567890",
        "a,b",
        "a, b",
        "x\\y",
        "^/a.*$",
    ),
]
KEYS = [
    *(
        "a",
        "b",
        "name",
        "a.b/c",
        "f:x",
        ".",
        "yes",
        "1",
        "010",
        "1.0",
        "null",
        '"a"',
        "'b'",
        '"true"',
    ),
    *("<<", "a b", "k" * 300, "k" * 1100, "a:", "é", "- a", "? a", "[a]", "", "-a", "<", "true"),
]
ENDS = ["", "", "", " ", "  ", " # c", "#", "\t", "\r", " # \u201cc\u201d"]
ODD_LINES = [
    *(
        "",
        " ",
        "# c",
        "  # c",
        "---",
        "--- ",
        "--- # c",
        "--- a",
        "---a",
        "...",
        "%YAML 1.1",
        "-",
        "- ",
    ),
    *(
        "---\t",
        "---\xa0a",
        "- - a",
        "-   a: b",
        "- a",
        "text",
        "  text",
        "\ta: b",
        "a: |",
        "  b\n\n  c",
    ),
]


@st.composite
def line(draw: st.DrawFn) -> str:
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from(ODD_LINES))
    indent = " " * draw(st.sampled_from([0, 0, 0, 1, 2, 2, 2, 3, 4, 4, 5, 6, 100]))
    dash = draw(st.sampled_from(["", "", "", "- ", "-  "]))
    key = draw(st.sampled_from(KEYS)) + draw(st.sampled_from([":", ":", ":", ": ", " :", ""]))
    if dash and draw(st.booleans()):
        key = ""
    value = draw(st.sampled_from(SCALARS)) if draw(st.booleans()) else ""
    gap = " " if key and value else ""
    return f"{indent}{dash}{key}{gap}{value}{draw(st.sampled_from(ENDS))}"


SCALAR = st.one_of(
    st.none(), st.booleans(), st.integers(-999, 999), st.sampled_from(["a", "yes", "1", "a: b", ""])
)
TREES = st.recursive(
    SCALAR,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["a", "b", "name", "yes", "8"]), inner, max_size=4),
    ),
    max_leaves=25,
)


@st.composite
def manifest(draw: st.DrawFn) -> str:
    """A tree as it is usually written, with different depths and quotes."""
    lines: list[str] = []
    step = draw(st.integers(1, 4))
    inside = draw(st.booleans())

    def write(value: Any, indent: int, lead: str) -> None:
        for name, item in value.items() if isinstance(value, dict) else ((None, i) for i in value):
            prefix, lead = (lead or " " * indent), ""
            below = indent
            if name is None:
                prefix, below = f"{prefix}- ", indent + 2
            else:
                prefix = f"{prefix}{name}:"
            if not isinstance(item, dict | list) or not item:
                text = json.dumps(item) if draw(st.booleans()) or item == "" else str(item)
                lines.append(f"{prefix.rstrip()} {text}{draw(st.sampled_from(ENDS[:6]))}")
            elif name is None and isinstance(item, dict):
                write(item, below, prefix)
            elif name is None:
                lines.append(f"{prefix.rstrip()} {json.dumps(item)}")
            else:
                lines.append(prefix)
                write(item, indent + (step if inside or isinstance(item, dict) else 0), "")

    tree = draw(TREES.filter(lambda value: bool(value) and isinstance(value, dict | list)))
    write(tree, draw(st.sampled_from([0, 0, 0, 2])), "")
    return "\n".join(lines)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """Manifests with lines doubled, moved, indented, taken out and replaced."""
    lines = "\n---\n".join(draw(st.lists(manifest(), min_size=1, max_size=3))).split("\n")
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        other = draw(st.integers(0, len(lines) - 1))
        act = draw(st.integers(0, 5))
        if act == 0:
            lines[at] = lines[other]
        elif act == 1:
            lines.insert(at, lines[other])
        elif act == 2:
            lines[at] = " " * draw(st.integers(1, 3)) + lines[at]
        elif act == 3:
            lines[at] = lines[at][draw(st.integers(0, 3)) :]
        elif act == 4:
            lines.insert(at, draw(line()))
        else:
            cut = draw(st.integers(0, len(lines[at])))
            odd = draw(st.sampled_from(list(" :-#\"'[]{}&*!|>%@`,?\t\r\\=~<\x85")))
            lines[at] = lines[at][:cut] + odd + lines[at][cut:]
    end = draw(st.sampled_from(["\n", "\n", "\n", "\r\n", "\r", "\r\r\n"]))
    return end.join(lines) + draw(st.sampled_from(["", end, end + end]))


TEXTS = st.one_of(st.lists(line(), max_size=12).map("\n".join), mutated(), mutated())


def exact(text: str) -> tuple[list[Document], list[Any]]:
    found, problems = compose(text.removeprefix("\ufeff"))
    return [Document(d.value, d.mark, d.text, d.index, d.first_line) for d in found], problems


def paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if not isinstance(value, dict | list):
        return [path]
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return [path, *(p for step, item in items for p in paths(item, (*path, step)))]


@given(TEXTS)
@settings(max_examples=500, deadline=None)
def test_any_text_is_read_as_the_composer_reads_it(text: str) -> None:
    fast, wrong = documents(text)
    slow, problems = exact(text)
    assert repr([(d.value, d.mark) for d in fast]) == repr([(d.value, d.mark) for d in slow])
    assert wrong == problems
    for one, other in zip(fast, slow, strict=True):
        for path in paths(one.value):
            assert one.find(path) == other.find(path)


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\nb:\n- x: y\n  z:\n  - 1\n  - '2'\n-  c: d\ne:\n  f: {g: [h]}\n",
        '---\n\n# a comment\n  a: 1 # one\n  b: "c\\td" # two\n  c:\n',
        "- a\n- b: c\n  d: e\n- f:\n    g: h\n",
        "metadata:\n  labels:\n    a.b/c: yes\n    'quoted': \"on\"\n  none: {}\n",
    ],
)
def test_usual_texts_need_no_parser(text: str) -> None:
    block = read_blocks(text)
    (document,), _ = exact(text)
    assert block is not None
    assert repr(block.value) == repr(document.value)
    assert (block.row + 1, block.column + 1) == (document.mark.line, document.mark.column)


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "---\n", "--- \n# nothing\n"])
def test_an_empty_document_has_no_value(text: str) -> None:
    assert read_blocks(text) == Block(None)


@pytest.mark.parametrize(
    "text",
    [
        *("a: 1\na: 2", "yes: 1\n'true': 2", "a: b\n  c: d", "a: b\n  c", "a:\n  b: c\n d: e"),
        *("- a\nb: c", "a: b\n- c", "a: |\n  b", "a: &b c", "a: *b", "a: !t b", "a: [b,\n  c]"),
        *("text", "--- a: b", "a: b\n...", "\ta: b", "a: b\rc: d", "<<: a", "a: b: c", "- - a"),
        *("a: [b]: c", "a: {b: 1, b: 2}", "a: [&b c, *b]", "a: '", " " * 100 + "a: b"),
    ],
)
def test_what_is_not_certain_is_left_to_the_parser(text: str) -> None:
    assert read_blocks(text) is None


def test_equal_lines_give_values_of_their_own() -> None:
    (first, second), _ = documents("a: {b: []}\n---\na: {b: []}\n")
    first.value["a"]["b"].append(1)
    assert second.value == {"a": {"b": []}}


def test_lines_may_end_as_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composer, "_nodes", None)
    first, second = documents("a: 1\r\nb:\r\n- c\r\n---\r\nd: e\r\n")[0]
    assert (first.value, second.value) == ({"a": 1, "b": ["c"]}, {"d": "e"})
    assert second.mark == Mark(5, 1)
