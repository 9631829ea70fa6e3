"""Clusters of gateways that pass mesh mTLS on by its SNI."""

from __future__ import annotations

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from tests.envoy.clusters.conftest import ClusterMesh, parsed, parsed_assignment

from varka.base.names import ObjectKey
from varka.envoy.clusters.sni import sni_layers
from varka.mesh.model import GatewayPort, GatewayServer, MergedGateway
from varka.registry.service import Endpoint
from varka.resources.model import networking
from varka.resources.model.base import decode


def compiled(
    world: ClusterMesh, mode: str
) -> tuple[dict[str, Cluster], dict[str, ClusterLoadAssignment]]:
    """Clusters and assignments of a gateway whose only server has this TLS mode."""
    tls = {"mode": mode}
    server = decode(
        {"port": {"number": 15443, "protocol": "TLS", "name": "tls"}, "tls": tls},
        networking.Server,
    )
    key = ObjectKey("networking.istio.io", "Gateway", "ns", "gw")
    port = GatewayPort(15443, "", "TLS", (GatewayServer(key, server, (("*", "*"),), ""),))
    clusters, assignments = sni_layers(
        world.build(),
        MergedGateway((port,), ()),
        (world.group(),),
        world.place,
        lambda *_: world.endpoints,
    )
    return (
        {n: parsed(r) for layer in clusters for n, r in layer.resources.items()},
        {n: parsed_assignment(r) for layer in assignments for n, r in layer.resources.items()},
    )


def test_every_port_and_subset_has_a_cluster_named_by_its_sni(world: ClusterMesh) -> None:
    world = world.with_(policy={"tls": {"mode": "SIMPLE"}}, subsets=({"name": "v1"},))
    clusters, assignments = compiled(world, "AUTO_PASSTHROUGH")
    host = "a.ns.svc.cluster.local"
    assert (
        list(clusters)
        == list(assignments)
        == [f"outbound_.80_._.{host}", f"outbound_.80_.v1_.{host}"]
    )
    assert not any(cluster.HasField("transport_socket") for cluster in clusters.values())


def test_only_endpoints_that_speak_mesh_mtls_are_behind_it(world: ClusterMesh) -> None:
    endpoints = (Endpoint("10.0.0.1", 80, tls_mode="istio"), Endpoint("10.0.0.2", 80))
    _, assignments = compiled(world.with_(endpoints=endpoints), "AUTO_PASSTHROUGH")
    (assignment,) = assignments.values()
    (place,) = assignment.endpoints
    assert [e.endpoint.address.socket_address.address for e in place.lb_endpoints] == ["10.0.0.1"]


def test_services_outside_the_mesh_have_none(world: ClusterMesh) -> None:
    assert compiled(world.with_(service={"mesh_external": True}), "AUTO_PASSTHROUGH") == ({}, {})


def test_other_gateways_have_none(world: ClusterMesh) -> None:
    assert compiled(world, "PASSTHROUGH") == ({}, {})
