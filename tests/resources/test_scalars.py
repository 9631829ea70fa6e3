"""Plain scalars mean what they mean to Kubernetes (sigs.k8s.io/yaml)."""

import math

import pytest

from varka.resources.scalars import Scalar, key_text, resolve_plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True),
        ("On", True),
        ("y", True),
        ("n", False),
        ("OFF", False),
        ("oFF", "oFF"),
        ("", None),
        ("~", None),
        ("Null", None),
        ("010", 8),
        ("-010", -8),
        ("08", 8),
        ("0x1f", 31),
        ("0o17", 15),
        ("0b11", 3),
        ("1_000", 1000),
        ("+5", 5),
        ("1e3", 1000),
        ("1.0", 1),
        ("1.5", 1.5),
        (".5", 0.5),
        ("12:30:45", "12:30:45"),
        ("2001-12-14", "2001-12-14"),
        ("1.2.3", "1.2.3"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("-", "-"),
        (".", "."),
        ("=", "="),
        ("1e400", "1e400"),
        ("1" * 305, float("1" * 305)),
        ("-" + "1" * 5000, "-" + "1" * 5000),
        ("0x" + "1" * 5000, "0x" + "1" * 5000),
    ],
)
def test_plain_scalar(text: str, value: object) -> None:
    found = resolve_plain(text)
    assert (found, type(found)) == (value, type(value))


def test_special_floats() -> None:
    found = resolve_plain(".nan")
    assert isinstance(found, float)
    assert math.isnan(found)
    assert resolve_plain("-.inf") == -math.inf


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (8, "8"), (None, "null"), ("a", "a")])
def test_keys_are_json_keys(value: Scalar, text: str) -> None:
    assert key_text(value) == text
