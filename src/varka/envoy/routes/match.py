"""`VirtualService.http[].match` as Envoy's RouteMatch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from envoy.config.route.v3 import route_components_pb2 as envoy
from envoy.type.matcher.v3 import metadata_pb2, regex_pb2, string_pb2, value_pb2

from varka.envoy import wkt
from varka.mesh.model import MergedVirtualService
from varka.resources.model import networking

_CLAIMS = "@request.auth.claims"
_JWT_FILTER = "envoy.filters.http.jwt_authn"
_JWT_PAYLOAD = "payload"


class Semantics(StrEnum):
    """How prefixes match and what a missing backend answers depends on the API a rule was written
    in."""

    ISTIO = ""
    INGRESS = "ingress"
    GATEWAY = "gateway"


def semantics_of(rule: MergedVirtualService) -> Semantics:
    return Semantics(rule.semantics) if rule.semantics in list(Semantics) else Semantics.ISTIO


def route_match(
    request: networking.HTTPMatchRequest | None, semantics: Semantics = Semantics.ISTIO
) -> envoy.RouteMatch:
    """The conditions that a request itself can meet; `port`, `gateways` and `source*` are decided
    before."""
    if request is None:
        return envoy.RouteMatch(prefix="/")
    result = envoy.RouteMatch(case_sensitive=wkt.boolean(not request.ignore_uri_case))
    _set_path(result, request.uri, semantics)
    headers = _headers(result, request.headers, present=True)
    without = _headers(result, request.without_headers, present=False)
    result.headers.extend(sorted([*headers, *without], key=lambda h: h.name))
    pseudo = (
        (":method", request.method),
        (":authority", request.authority),
        (":scheme", request.scheme),
    )
    result.headers.extend(
        _header(name, condition) for name, condition in pseudo if condition is not None
    )
    result.query_parameters.extend(
        _query(name, condition) for name, condition in sorted(request.query_params.items())
    )
    return result


def is_catch_all(match: envoy.RouteMatch) -> bool:
    """Whether every request meets it, so that no later route is ever reached."""
    path = match.WhichOneof("path_specifier")
    anywhere = (
        (path == "prefix" and match.prefix == "/")
        or (path == "path_separated_prefix" and match.path_separated_prefix == "/")
        or (path == "safe_regex" and match.safe_regex.regex == ".*")
    )
    return anywhere and not (match.headers or match.query_parameters or match.dynamic_metadata)


def string_matcher(condition: networking.StringMatch) -> string_pb2.StringMatcher:
    if condition.exact is not None:
        return string_pb2.StringMatcher(exact=condition.exact)
    if condition.prefix is not None:
        return string_pb2.StringMatcher(prefix=condition.prefix)
    return string_pb2.StringMatcher(safe_regex=regex_pb2.RegexMatcher(regex=condition.regex or ""))


def _set_path(
    result: envoy.RouteMatch, uri: networking.StringMatch | None, semantics: Semantics
) -> None:
    if uri is None or _is_present(uri, wildcard=False):
        result.prefix = "/"
    elif uri.exact is not None:
        result.path = uri.exact
    elif uri.regex is not None:
        result.safe_regex.regex = uri.regex
    elif semantics is Semantics.ISTIO or uri.prefix == "/":
        result.prefix = uri.prefix or ""
    else:
        result.path_separated_prefix = (uri.prefix or "").removesuffix("/")


def _is_present(condition: networking.StringMatch, *, wildcard: bool = True) -> bool:
    """No condition at all, or the regex `*`, which is not RE2 but what people write for "any
    value"."""
    if condition.exact is None and condition.prefix is None and condition.regex is None:
        return True
    return wildcard and condition.regex == "*"


def _headers(
    result: envoy.RouteMatch, conditions: Mapping[str, networking.StringMatch], *, present: bool
) -> Iterable[envoy.HeaderMatcher]:
    for name, condition in sorted(conditions.items()):
        if claim := claim_path(name):
            result.dynamic_metadata.append(_claim(claim, condition, invert=not present))
        else:
            matcher = _header(name, condition)
            if not present:
                matcher.invert_match = True
                # Envoy refuses this beside present_match.
                matcher.treat_missing_header_as_empty = not _is_present(condition)
            yield matcher


def _header(name: str, condition: networking.StringMatch) -> envoy.HeaderMatcher:
    if _is_present(condition):
        return envoy.HeaderMatcher(name=name, present_match=True)
    return envoy.HeaderMatcher(name=name, string_match=string_matcher(condition))


def _query(name: str, condition: networking.StringMatch) -> envoy.QueryParameterMatcher:
    if _is_present(condition):
        return envoy.QueryParameterMatcher(name=name, present_match=True)
    return envoy.QueryParameterMatcher(name=name, string_match=string_matcher(condition))


def claim_path(header: str) -> tuple[str, ...]:
    """The claim that a "header" `@request.auth.claims.a.b` or `@request.auth.claims[a][b]` means;
    () for real headers."""
    if not header.lower().startswith(_CLAIMS):
        return ()
    rest = header[len(_CLAIMS) :]
    if rest.startswith(".") and len(rest) > 1:
        return tuple(rest[1:].split("."))
    if rest.startswith("[") and rest.endswith("]") and len(rest) > 2:
        return tuple(rest[1:-1].split("]["))
    return ()


def _claim(
    path: tuple[str, ...], condition: networking.StringMatch, *, invert: bool
) -> metadata_pb2.MetadataMatcher:
    """A condition on the validated token's payload: the claim is the value, or a list that holds
    it."""
    value = value_pb2.ValueMatcher(string_match=string_matcher(condition))
    if _is_present(condition):
        value = value_pb2.ValueMatcher(present_match=True)
    listed = value_pb2.ValueMatcher(list_match=value_pb2.ListMatcher(one_of=value))
    return metadata_pb2.MetadataMatcher(
        filter=_JWT_FILTER,
        path=[metadata_pb2.MetadataMatcher.PathSegment(key=key) for key in (_JWT_PAYLOAD, *path)],
        value=value_pb2.ValueMatcher(or_match=value_pb2.OrMatcher(value_matchers=[listed, value])),
        invert=invert,
    )
