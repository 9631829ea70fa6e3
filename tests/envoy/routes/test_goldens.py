"""Route configurations of whole meshes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.envoy.conftest import Golden
from tests.envoy.routes.conftest import mesh_of


def test_route_configurations(case: tuple[str, Mapping[str, Any]], golden: Golden) -> None:
    name, document = case
    world = mesh_of(document)
    make = world.gateway_routes if "servers" in document else world.routes
    golden(name, [make(route) for route in document["routes"]])
