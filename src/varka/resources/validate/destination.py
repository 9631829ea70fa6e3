"""Destinations of routes and their weights."""

from __future__ import annotations

from collections.abc import Sequence

from varka.resources.codes import Code
from varka.resources.model import networking as n
from varka.resources.validate import values
from varka.resources.validate.cursor import Cursor
from varka.resources.validate.headers import check_headers


def check_destination(destination: n.Destination | None, here: Cursor) -> None:
    if destination is None:
        return
    place = here.at("host")
    if destination.host == "*":
        place.error(Code.VS_DESTINATION, "a destination can't be *")
    else:
        place.check(Code.VS_DESTINATION, values.wildcard_domain(destination.host))
    if destination.subset:
        here.at("subset").check(Code.VS_DESTINATION, values.subset_name(destination.subset))
    if destination.port is not None:
        here.at("port", "number").check(Code.VS_DESTINATION, values.port(destination.port.number))


def check_weights(
    routes: Sequence[n.HTTPRouteDestination | n.RouteDestination], here: Cursor, *, converted: bool
) -> None:
    """`route`: the destinations of one rule."""
    seen: set[tuple[str, str, int]] = set()
    for place, route in here.each("route", routes):
        if isinstance(route, n.HTTPRouteDestination):
            check_headers(route.headers, place.at("headers"))
        if route.weight < 0:
            place.at("weight").error(Code.VS_WEIGHT, f"weight {route.weight} is negative")
        if route.destination is None:
            place.error(Code.VS_DESTINATION, "destination is required")
            continue
        if not converted:
            check_destination(route.destination, place.at("destination"))
        target = _target(route.destination)
        if target in seen:
            place.info(
                Code.VS_SAME_DESTINATION,
                "this destination is already in the list",
                "is its subset right?",
            )
        seen.add(target)
    if len(routes) > 1 and sum(route.weight for route in routes) == 0:
        here.at("route").error(
            Code.VS_WEIGHT,
            "all weights are 0",
            f"add weight: {100 // len(routes)} to each destination",
        )


def _target(destination: n.Destination) -> tuple[str, str, int]:
    return (
        destination.host,
        destination.subset,
        destination.port.number if destination.port is not None else 0,
    )
