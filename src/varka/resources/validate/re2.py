"""RE2 expressions, as far as Python's engine can tell: what RE2 has and Python lacks is translated,
the reverse refused."""

from __future__ import annotations

import re

_MAX = 1024
_QUOTED = re.compile(r"\\Q(.*?)(?:\\E|$)", re.DOTALL)
_ESCAPE = re.compile(r"\\x\{[0-9a-fA-F]+\}|\\[pP](?:\{\^?\w+\}|\w)|\\C")
_FOREIGN_ESCAPE = re.compile(r"\\[1-9ZGK]")
_PERL_ONLY = re.compile(r"\\[1-9ZGK]|\(\?(?:[=!>#(]|<[=!]|P[=>])|[*+?}]\+|[*+?]\{|\}[*{]")
_PLAIN = re.compile(r"\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]", re.DOTALL)
_REPEAT = re.compile(r"\{(\d+)(?:,(\d*))?\}")


def regex(text: str) -> str:
    """What is wrong with an expression, "" when nothing is."""
    if len(text) > _MAX:
        return f"the regular expression is longer than {_MAX} characters"
    plain = _QUOTED.sub(lambda quoted: re.escape(quoted[1]), text)
    bare = _PLAIN.sub(lambda part: part[0] if _FOREIGN_ESCAPE.fullmatch(part[0]) else "x", plain)
    if _PERL_ONLY.search(bare):
        return (
            f"{text!r} is no RE2 expression: lookarounds, backreferences and stacked repetitions"
            " are not supported"
        )
    if any(int(count) > 1000 for pair in _REPEAT.findall(bare) for count in pair if count):
        return f"{text!r} is no RE2 expression: more than 1000 repetitions"
    try:
        re.compile(_as_python(plain))
    except (re.error, OverflowError, RecursionError) as error:
        return f"{text!r} is no RE2 expression: {error}"
    return ""


def _as_python(text: str) -> str:
    text = _ESCAPE.sub("x", text).replace(r"\z", r"\Z")
    text = re.sub(r"\[:\^?\w+:\]", "a", text)
    text = re.sub(r"\(\?P?<([A-Za-z_]\w*)>", r"(?P<\1>", text)
    return re.sub(
        r"\(\?([imsU]*(?:-[imsU]+)?)(:|\))", lambda flags: "(?:" if flags[2] == ":" else "", text
    )
