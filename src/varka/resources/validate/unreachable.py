"""Routes of a VirtualService that no request reaches because others stand before them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from varka.resources.codes import Code
from varka.resources.model import networking as n
from varka.resources.model.base import Model
from varka.resources.validate.cursor import Cursor


def check_unreachable(
    routes: Sequence[n.HTTPRoute | n.TLSRoute | n.TCPRoute], field: str, here: Cursor
) -> None:
    """Warn about what can't be reached: after a route without matches, or matched by an earlier
    route already."""
    seen: dict[bytes, str] = {}
    catch_all = False
    prefixes: list[_Prefix] = []
    for place, route in here.each(field, routes):
        if not route.match:
            if catch_all:
                place.warning(
                    Code.VS_UNREACHABLE,
                    "never used: an earlier route has no match, so it takes every request",
                )
            catch_all = True
            continue
        repeated = 0
        for spot, match in place.each("match", route.match):
            if catch_all:
                place.warning(
                    Code.VS_UNREACHABLE,
                    "never used: an earlier route has no match, so it takes every request",
                )
                continue
            content = _content(match)
            if content in seen:
                spot.warning(
                    Code.VS_INEFFECTIVE_MATCH, f"never used: {seen[content]} has the same match"
                )
                repeated += 1
                continue
            seen[content] = _name(route, place)
            if isinstance(match, n.HTTPMatchRequest) and match.uri is not None and match.uri.prefix:
                prefixes.append(_Prefix(match, match.uri.prefix, _name(route, place), spot))
        if repeated == len(route.match):
            place.warning(Code.VS_UNREACHABLE, "never used: earlier routes have all of its matches")
    _check_prefixes(prefixes)


def _content(match: Model) -> bytes:
    value: dict[str, Any] = msgspec.to_builtins(match)
    value.pop("name", None)
    return msgspec.json.encode(value, order="deterministic")


def _name(route: object, place: Cursor) -> str:
    return f"route {getattr(route, 'name', '') or place.path[-1]!r}"


class _Prefix(Struct, frozen=True, eq=False):
    match: n.HTTPMatchRequest
    prefix: str
    route: str
    place: Cursor


def _check_prefixes(found: Sequence[_Prefix]) -> None:
    for index, first in enumerate(found):
        for later in found[index + 1 :]:
            if (
                first.prefix != later.prefix
                and later.prefix.startswith(first.prefix)
                and _covers(first.match, later.match)
            ):
                message = (
                    f"never used: prefix {first.prefix!r} of {first.route} takes everything below"
                    f" {later.prefix!r}"
                )
                later.place.warning(Code.VS_INEFFECTIVE_MATCH, message, "move the longer prefix up")


def _covers(first: n.HTTPMatchRequest, later: n.HTTPMatchRequest) -> bool:
    """Whether the other conditions of the first match let everything through that the later one
    wants."""
    return (
        first.port == later.port
        and (_text(first.method) or "exact:GET").startswith(_text(later.method) or "exact:GET")
        and _text(first.authority).startswith(_text(later.authority))
        and _all_cover(first.headers, later.headers)
        and _all_cover(first.query_params, later.query_params)
        and _all_cover(first.without_headers, later.without_headers)
    )


def _all_cover(first: Mapping[str, n.StringMatch], later: Mapping[str, n.StringMatch]) -> bool:
    return first.keys() == later.keys() and all(
        _text(match).startswith(_text(later[name])) for name, match in first.items()
    )


def _text(match: n.StringMatch | None) -> str:
    if match is None:
        return ""
    if match.exact:
        return f"exact:{match.exact}"
    return f"prefix:{match.prefix}" if match.prefix else ""
