"""Route configurations of whole meshes."""

from __future__ import annotations


def test_route_configurations(case, mesh_of, golden):
    name, document = case
    world = mesh_of(document)
    make = world.gateway_routes if "servers" in document else world.routes
    golden(name, [make(route) for route in document["routes"]])
