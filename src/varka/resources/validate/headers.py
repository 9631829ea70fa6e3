"""Names and values of headers in routes."""

from __future__ import annotations

import re

from varka.resources.codes import Code
from varka.resources.model.networking import HeaderOperations, Headers
from varka.resources.validate.cursor import Cursor

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~A-Za-z0-9]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_PSEUDO = (":method", ":scheme", ":authority", ":path", ":status")
_CLAIM = "@request.auth.claims"
_PLAIN, _NAME_STATE, _ARRAY, _STRING_START, _STRING, _DELIMITER, _ARGS_END, _END = range(8)


def header_name(name: str) -> str:
    if not name:
        return "a header needs a name"
    return "" if _NAME.fullmatch(name) else f"{name!r} is no header name"


def is_claim(name: str) -> bool:
    """Whether a match is on a claim of the request's token: `@request.auth.claims.a.b` or
    `@request.auth.claims[a][b]`."""
    if not name.lower().startswith(_CLAIM):
        return False
    rest = name[len(_CLAIM) :]
    return (rest.startswith(".") and len(rest) > 1) or (
        rest.startswith("[") and rest.endswith("]") and len(rest) > 2
    )


def matched_name(name: str) -> str:
    """A header that a match looks at; pseudo headers and token claims count too."""
    return "" if name in _PSEUDO or is_claim(name) else header_name(name)


def is_authority(name: str) -> bool:
    return name.lower() in (":authority", "host")


def check_headers(headers: Headers | None, here: Cursor) -> None:
    """`headers` of a route or a destination."""
    if headers is None:
        return
    _check_operations(headers.request, here.at("request"), may_set_authority=True)
    _check_operations(headers.response, here.at("response"), may_set_authority=False)


def _check_operations(
    operations: HeaderOperations | None, here: Cursor, *, may_set_authority: bool
) -> None:
    if operations is None:
        return
    for verb, changes in (("add", operations.add), ("set", operations.set)):
        for name, value in changes.items():
            place = here.at(verb, name)
            place.check(Code.VS_HEADERS, _changed_name(name, may_set_authority))
            place.check(Code.VS_HEADERS, header_value(value))
    for place, name in here.each("remove", operations.remove):
        place.check(Code.VS_HEADERS, _changed_name(name, False))


def _changed_name(name: str, may_set_authority: bool) -> str:
    if not name:
        return "a header needs a name"
    if name.startswith(":") or name.lower() == "host":
        return "" if may_set_authority and is_authority(name) else f"{name!r} can't be changed here"
    return ""


def header_value(value: str) -> str:
    """A value with Envoy's `%VARIABLES%`; a lone % must be written as %%."""
    if _CONTROL.search(value):
        return f"{value!r} has control characters"
    state, at = _PLAIN, 0
    while at < len(value):
        character, following = value[at], value[at + 1 : at + 2]
        if (state == _PLAIN and character == "%" and following == "%") or (
            state == _STRING and character == "\\" and following
        ):
            at += 2
            continue
        if (state == _PLAIN and character == "%" and not following) or (
            state == _STRING and character == "\\"
        ):
            return f"{value!r}: unfinished {character}; a literal % is written %%"
        following_state = _step(state, character)
        if following_state is None:
            return f"{value!r}: {character!r} is not expected at position {at + 1}"
        state, at = following_state, at + 1
    return "" if state == _PLAIN else f"{value!r}: the variable does not end"


def _step(state: int, character: str) -> int | None:
    """The next state of the reader of `%NAME(["a", "b"])%`; None where the character can't
    stand."""
    moves: dict[int, dict[str, int]] = {
        _PLAIN: {"%": _NAME_STATE},
        _NAME_STATE: {"%": _PLAIN, "(": _ARRAY},
        _ARRAY: {"[": _STRING_START},
        _STRING_START: {'"': _STRING},
        _STRING: {")": _END, '"': _DELIMITER},
        _DELIMITER: {",": _STRING_START, "]": _ARGS_END},
        _ARGS_END: {")": _END},
        _END: {"%": _PLAIN},
    }
    if character in moves[state]:
        return moves[state][character]
    if state in (_PLAIN, _NAME_STATE, _STRING) or character == " ":
        return state
    return _STRING if state == _ARRAY else None
