"""Routes of a delegate VirtualService merged with the route that delegates to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace as changed

from varka.resources.model.networking import HTTPMatchRequest, HTTPRoute, StringMatch

_INHERITED = (
    "rewrite",
    "direct_response",
    "timeout",
    "retries",
    "fault",
    "mirror",
    "mirror_percent",
    "mirror_percentage",
    "cors_policy",
    "mirrors",
    "headers",
)
"""What a route takes from the root where it says nothing itself."""


def merge_routes(root: HTTPRoute, routes: tuple[HTTPRoute, ...]) -> Iterator[tuple[int, HTTPRoute]]:
    """The delegate's routes with their indexes; those whose matches contradict the root's are left
    out."""
    for at, route in enumerate(routes):
        matches = _merge_matches(root.match, route.match)
        if matches is not None:
            inherited = {
                name: getattr(root, name)
                for name in _INHERITED
                if getattr(route, name) in (None, ())
            }
            name = _name(root.name, route.name)
            yield at, changed(route, match=matches, name=name, **inherited)


def _merge_matches(
    roots: tuple[HTTPMatchRequest, ...], leaves: tuple[HTTPMatchRequest, ...]
) -> tuple[HTTPMatchRequest, ...] | None:
    """Every match of the delegate must narrow some match of the root; None when one does not."""
    if not roots or not leaves:
        return leaves or roots
    merged: list[HTTPMatchRequest] = []
    for leaf in leaves:
        found = [_merge_match(root, leaf) for root in roots if not _conflicts(root, leaf)]
        if not found:
            return None
        merged.extend(found)
    return tuple(merged)


def _merge_match(root: HTTPMatchRequest, leaf: HTTPMatchRequest) -> HTTPMatchRequest:
    return changed(
        leaf,
        name=_name(root.name, leaf.name),
        uri=leaf.uri or root.uri,
        scheme=leaf.scheme or root.scheme,
        method=leaf.method or root.method,
        authority=leaf.authority or root.authority,
        headers={**root.headers, **leaf.headers},
        without_headers={**root.without_headers, **leaf.without_headers},
        query_params={**root.query_params, **leaf.query_params},
        port=leaf.port or root.port,
        source_labels={**root.source_labels, **leaf.source_labels},
        source_namespace=leaf.source_namespace or root.source_namespace,
        gateways=leaf.gateways or root.gateways,
        stat_prefix=leaf.stat_prefix or root.stat_prefix,
    )


def _name(root: str, leaf: str) -> str:
    return f"{root}-{leaf}" if root and leaf else leaf or root


def _conflicts(root: HTTPMatchRequest, leaf: HTTPMatchRequest) -> bool:
    """The delegate's match is not a part of the root's."""
    pairs = (
        (root.uri, leaf.uri),
        (root.scheme, leaf.scheme),
        (root.method, leaf.method),
        (root.authority, leaf.authority),
    )
    maps = (
        (root.headers, leaf.headers),
        (root.without_headers, leaf.without_headers),
        (root.query_params, leaf.query_params),
    )
    return (
        any(_text_conflicts(one, other) for one, other in pairs)
        or any(_map_conflicts(one, other) for one, other in maps)
        or root.ignore_uri_case != leaf.ignore_uri_case
        or bool(root.port and leaf.port and root.port != leaf.port)
        or bool(root.source_namespace and leaf.source_namespace != root.source_namespace)
        or any(
            root.source_labels.get(name, value) != value
            for name, value in leaf.source_labels.items()
        )
        or bool(root.gateways and leaf.gateways and not set(leaf.gateways) <= set(root.gateways))
    )


def _map_conflicts(root: Mapping[str, StringMatch], leaf: Mapping[str, StringMatch]) -> bool:
    return any(_text_conflicts(root.get(name), value) for name, value in leaf.items())


def _text_conflicts(root: StringMatch | None, leaf: StringMatch | None) -> bool:
    """Regular expressions can't be compared, so they conflict with everything."""
    if root is None or leaf is None:
        return False
    if root.regex or leaf.regex:
        return True
    if root.exact:
        return bool(leaf.prefix) or leaf.exact != root.exact
    if root.prefix:
        return not (leaf.prefix or leaf.exact or "").startswith(root.prefix)
    return True
