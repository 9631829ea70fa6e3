"""Route configurations of whole meshes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.envoy.routes.conftest import mesh_of


def test_route_configurations(
    case: tuple[str, Mapping[str, Any]], golden: Callable[[str, Sequence[Any]], None]
) -> None:
    name, document = case
    world = mesh_of(document)
    make = world.gateway_routes if "servers" in document else world.routes
    golden(name, [make(route) for route in document["routes"]])
