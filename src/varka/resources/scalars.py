"""What a plain YAML scalar means to Kubernetes: the rules of sigs.k8s.io/yaml, not those of YAML
1.2 and not PyYAML's.

`yes`, `on` and `y` are booleans, `010` is eight, `0x1f`, `0b11` and `1_000` are integers; dates and
`12:30:45` are strings. A number without a fraction is an integer however it is written (`1e3`),
because it passes through JSON on its way to the API server.
"""

from __future__ import annotations

import re
from math import isinf

Scalar = str | int | float | bool | None

_WORDS: dict[str, Scalar] = {
    **{
        word: True
        for base in ("y", "yes", "true", "on")
        for word in (base, base.capitalize(), base.upper())
    },
    **{
        word: False
        for base in ("n", "no", "false", "off")
        for word in (base, base.capitalize(), base.upper())
    },
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}
_NUMERIC = frozenset("0123456789+-.")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_DIGITS = 300
"""Longer integers are read as other numbers are; what no number can hold is text."""
_INT = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|0[0-7]*|[1-9][0-9]*)")


def resolve_plain(text: str) -> Scalar:
    """The value of an unquoted scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC:
        return text
    return _number(text)


def _number(text: str) -> Scalar:
    plain = text if text[0] == "." else text.replace("_", "")
    if len(plain) <= _DIGITS and _INT.fullmatch(plain):
        return _integer(plain)
    if _FLOAT.fullmatch(plain):
        value = float(plain)
        if isinf(value):
            return text
        return int(value) if value.is_integer() and abs(value) < 1e21 else value
    return text


def _integer(text: str) -> int:
    digits = text.lstrip("+-")
    if len(digits) > 1 and digits[0] == "0" and digits[1].isdigit():
        return int(text, 8)
    return int(text, 0)


def key_text(value: Scalar) -> str:
    """The JSON object key that a YAML mapping key becomes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)
