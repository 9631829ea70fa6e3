"""Whole clusters and assignments, as Envoy gets them."""

from __future__ import annotations

from tests.envoy.clusters.conftest import ClusterMesh
from tests.envoy.conftest import Golden

from varka.base.names import Namespace
from varka.registry.service import Endpoint, Protocol, Registry, Resolution, ServicePort

POLICY = {
    "connectionPool": {
        "tcp": {
            "maxConnections": 100,
            "connectTimeout": "30ms",
            "tcpKeepalive": {"time": "7200s", "interval": "75s"},
        },
        "http": {"http2MaxRequests": 1000, "maxRequestsPerConnection": 10, "idleTimeout": "3600s"},
    },
    "loadBalancer": {"simple": "ROUND_ROBIN", "warmup": {"duration": "30s"}},
    "outlierDetection": {"consecutive5xxErrors": 7, "interval": "300s", "baseEjectionTime": "900s"},
}
SUBSET = {
    "name": "v1",
    "labels": {"version": "v1"},
    "trafficPolicy": {
        "loadBalancer": {
            "consistentHash": {"httpHeaderName": "x-user", "maglev": {"tableSize": 251}}
        }
    },
}


def test_a_service_with_a_rule_and_a_subset(world: ClusterMesh, golden: Golden) -> None:
    endpoint = Endpoint("10.0.0.1", 8080, {"version": "v1"}, Namespace("ns"), "sa", "a-v1")
    world = world.with_(policy=POLICY, subsets=(SUBSET,), endpoints=(endpoint,))
    golden("service", [*world.clusters().values(), world.assignment()])


def test_hosts_outside_the_mesh(world: ClusterMesh, golden: Golden) -> None:
    outside = world.with_(
        ports=(ServicePort("grpc", 443, Protocol.GRPC),),
        endpoints=(Endpoint("a.example", 443), Endpoint("b.example", 443)),
        service={"registry": Registry.EXTERNAL, "mesh_external": True},
        resolution=Resolution.DNS,
    )
    wild = outside.with_(hostname="*.example", resolution=Resolution.DYNAMIC_DNS)
    golden("outside", [outside.cluster(), wild.cluster()])
