"""Clusters of gateways that pass mesh mTLS on by its SNI."""

from __future__ import annotations

from typing import Any

import pytest
from tests.envoy.clusters.conftest import ClusterMesh, ClusterOf

from varka.base.names import ObjectKey
from varka.envoy.clusters.sni import sni_layers
from varka.mesh.model import GatewayPort, GatewayServer, MergedGateway
from varka.registry.service import Endpoint
from varka.resources.model import networking
from varka.resources.model.base import decode


@pytest.fixture
def compiled(cluster_of: ClusterOf) -> Any:
    """Clusters and assignments of a gateway whose only server has this TLS mode."""

    def of(world: ClusterMesh, mode: str) -> tuple[dict[str, Any], dict[str, Any]]:
        tls = {"mode": mode}
        server = decode(
            {"port": {"number": 15443, "protocol": "TLS", "name": "tls"}, "tls": tls},
            networking.Server,
        )
        key = ObjectKey("networking.istio.io", "Gateway", "ns", "gw")
        port = GatewayPort(15443, "", "TLS", (GatewayServer(key, server, (("*", "*"),), ""),))
        gateway = MergedGateway((port,), ())
        found = sni_layers(
            world.build(), gateway, (world.group(),), world.place, lambda *_: world.endpoints
        )
        clusters, assignments = (
            {n: cluster_of(r) for layer in ls for n, r in layer.resources.items()} for ls in found
        )
        return clusters, assignments

    return of


def test_every_port_and_subset_has_a_cluster_named_by_its_sni(
    world: ClusterMesh, compiled: Any
) -> None:
    world = world.with_(policy={"tls": {"mode": "SIMPLE"}}, subsets=({"name": "v1"},))
    clusters, assignments = compiled(world, "AUTO_PASSTHROUGH")
    host = "a.ns.svc.cluster.local"
    assert (
        list(clusters)
        == list(assignments)
        == [f"outbound_.80_._.{host}", f"outbound_.80_.v1_.{host}"]
    )
    assert not any(cluster.HasField("transport_socket") for cluster in clusters.values())


def test_only_endpoints_that_speak_mesh_mtls_are_behind_it(
    world: ClusterMesh, compiled: Any
) -> None:
    endpoints = (Endpoint("10.0.0.1", 80, tls_mode="istio"), Endpoint("10.0.0.2", 80))
    _, (assignment,) = (
        list(found.values())
        for found in compiled(world.with_(endpoints=endpoints), "AUTO_PASSTHROUGH")
    )
    (place,) = assignment.endpoints
    assert [e.endpoint.address.socket_address.address for e in place.lb_endpoints] == ["10.0.0.1"]


def test_services_outside_the_mesh_have_none(world: ClusterMesh, compiled: Any) -> None:
    assert compiled(world.with_(service={"mesh_external": True}), "AUTO_PASSTHROUGH") == ({}, {})


def test_other_gateways_have_none(world: ClusterMesh, compiled: Any) -> None:
    assert compiled(world, "PASSTHROUGH") == ({}, {})
