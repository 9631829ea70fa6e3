"""Streams of documents: values, positions, and every reason why something can't be read."""

import pytest

from varka.resources.yaml import Mark, documents, parse_value


def values(text: str) -> list[object]:
    return [document.value for document in documents(text)[0]]


def problems(text: str) -> list[tuple[int, int]]:
    return [(p.mark.line, p.mark.column) for p in documents(text)[1]]


def test_documents_and_empty_ones() -> None:
    assert values("---\na: 1\n---\n# nothing\n---\nb: [x, 'y', \"3\"]\n") == [
        {"a": 1},
        {"b": ["x", "y", "3"]},
    ]


def test_json_with_tabs_and_bom() -> None:
    assert values('\ufeff{\n\t"a": [1,\n\t2.5, true, null]}') == [{"a": [1, 2.5, True, None]}]


def test_keys_become_strings() -> None:
    assert values("yes: 1\n8080: 2\n010: 3\n'010': 4") == [{"true": 1, "8080": 2, "8": 3, "010": 4}]


def test_anchors_and_merges() -> None:
    assert values("a: &a {x: 1, w: 1}\nb: {<<: *a, w: 2}\nc: {<<: [*a, {z: 3}]}") == [
        {"a": {"x": 1, "w": 1}, "b": {"x": 1, "w": 2}, "c": {"x": 1, "w": 1, "z": 3}}
    ]


def test_duplicate_keys_are_wrong_and_all_are_told() -> None:
    assert problems("a: 1\nb: {c: 1, c: 2}\na: 3\n") == [(2, 11), (3, 1)]


def test_after_a_syntax_error_the_other_documents_are_read() -> None:
    text = "a: 1\n---\nb: [\n---\nc: 2\n---\nd: {\n"
    assert values(text) == [{"a": 1}, {"c": 2}]
    assert len(problems(text)) == 2


def test_tabs_do_not_indent() -> None:
    assert problems("a:\n\tb: 1\n") == [(2, 1)]


@pytest.mark.parametrize("text", ["a: &a [*a]", "a: " + "[" * 3000])
def test_endless_documents_are_refused(text: str) -> None:
    assert values(text) == []
    assert problems(text)


def test_alias_bombs_are_refused() -> None:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"] + [
        f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)
    ]
    assert problems("\n".join(lines))


def test_positions_of_fields() -> None:
    document = documents("x: 1\n---\nspec:\n  http:\n  - route:\n    - weight: 5\n      on: 1\n")[
        0
    ][1]
    assert document.mark == Mark(3, 1)
    assert document.find(("spec", "http", 0, "route", 0, "weight")) == Mark(6, 7)
    assert document.find(("spec", "http", 0)) == Mark(5, 5)
    assert document.find(("spec", "http", 0, "route", 0, "true")) == Mark(7, 7)
    assert document.find(("spec", "http", 0, "timeout")) == Mark(5, 5)


def test_positions_after_a_broken_document() -> None:
    document = documents("a: [\n---\nb:\n  c: 1\n")[0][0]
    assert document.find(("b", "c")) == Mark(4, 3)


def test_explicit_tags() -> None:
    assert values("a: !!str 1\nb: !!int '5'\nc: !!float 1\nd: !custom x") == [
        {"a": "1", "b": 5, "c": 1, "d": "x"}
    ]
    assert problems("a: !!int x") == [(1, 4)]


def test_parse_value_names_the_place() -> None:
    assert parse_value("") is None
    assert parse_value("[1, 2]") == [1, 2]
    with pytest.raises(ValueError, match=r"^2:"):
        parse_value("a: 1\nb: ]")
