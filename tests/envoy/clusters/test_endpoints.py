"""Load assignments: who is in, where, how near."""

from __future__ import annotations

from typing import Any

import pytest
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from tests.envoy.clusters.conftest import ClusterMesh, Shown

from varka.proxy.node import Locality, ProxyType
from varka.registry.service import Endpoint, Health, Protocol, Registry, Resolution, ServicePort

HERE = Locality("r1", "z1", "s1")
ADDRESSES = {
    "same": ("10.0.0.1", HERE),
    "zone": ("10.0.0.2", Locality("r1", "z1", "s2")),
    "region": ("10.0.0.3", Locality("r1", "z2", "s1")),
    "second": ("10.0.0.4", Locality("r2", "z1", "s1")),
    "third": ("10.0.0.5", Locality("r3", "z1", "s1")),
}
NAMES = {address: name for name, (address, _) in ADDRESSES.items()}


@pytest.fixture
def spread(world: ClusterMesh) -> ClusterMesh:
    everywhere = tuple(Endpoint(address, 80, locality=at) for address, at in ADDRESSES.values())
    return world.with_(endpoints=everywhere, place=HERE)


def priorities(assignment: ClusterLoadAssignment) -> dict[str, int]:
    return {
        NAMES[e.endpoint.address.socket_address.address]: place.priority
        for place in assignment.endpoints
        for e in place.lb_endpoints
    }


def weights(assignment: ClusterLoadAssignment) -> dict[str, int]:
    return {
        NAMES[e.endpoint.address.socket_address.address]: place.load_balancing_weight.value
        for place in assignment.endpoints
        for e in place.lb_endpoints
    }


def locality(outlier: bool = True, **setting: Any) -> dict[str, Any]:
    return {
        "loadBalancer": {"localityLbSetting": setting},
        **({"outlierDetection": {}} if outlier else {}),
    }


def addresses(assignment: ClusterLoadAssignment) -> list[str]:
    return [
        e.endpoint.address.socket_address.address
        for place in assignment.endpoints
        for e in place.lb_endpoints
    ]


def test_endpoints_are_grouped_by_place_with_the_sum_of_their_weights(
    world: ClusterMesh, shown: Shown
) -> None:
    endpoints = (
        Endpoint("10.0.0.1", 80, locality=Locality("b"), weight=3),
        Endpoint("10.0.0.2", 80, locality=Locality("a")),
        Endpoint("10.0.0.3", 80, locality=Locality("b")),
    )
    assignment = world.with_(endpoints=endpoints).assignment()
    assert [(p.locality.region, p.load_balancing_weight.value) for p in assignment.endpoints] == [
        ("a", 1),
        ("b", 4),
    ]
    assert addresses(assignment) == ["10.0.0.2", "10.0.0.1", "10.0.0.3"]


def test_an_endpoint_says_what_workload_it_is(world: ClusterMesh, shown: Shown) -> None:
    labels = {"app": "a", "version": "v1", "service.istio.io/canonical-name": "canon"}
    endpoint = Endpoint(
        "10.0.0.1", 80, labels=labels, namespace=world.group().namespace, workload="a-v1"
    )
    (place,) = shown(world.with_(endpoints=(endpoint,)).assignment())["endpoints"]
    (found,) = place["lb_endpoints"]
    assert (
        found["metadata"]["filter_metadata"]["istio"]["workload"] == "a-v1;ns;canon;v1;Kubernetes"
    )
    assert found["health_status"] == "HEALTHY"


def test_a_subset_has_the_endpoints_with_all_its_labels(world: ClusterMesh) -> None:
    endpoints = (
        Endpoint("10.0.0.1", 80, labels={"v": "1", "x": "y"}),
        Endpoint("10.0.0.2", 80, labels={"v": "1"}),
    )
    world = world.with_(endpoints=endpoints)
    assert addresses(
        world.with_(subsets=({"name": "s", "labels": {"v": "1", "x": "y"}},)).assignment()
    ) == ["10.0.0.1"]
    assert addresses(world.with_(subsets=({"name": "s", "labels": {"v": "2"}},)).assignment()) == []


def test_pipes_and_addresses_are_sent_but_no_names(world: ClusterMesh, shown: Shown) -> None:
    endpoints = (
        Endpoint("unix:///run/a.sock", 0),
        Endpoint("host.example", 80),
        Endpoint("2001:db8::1", 80),
    )
    (place,) = shown(world.with_(endpoints=endpoints).assignment())["endpoints"]
    found = [e["endpoint"]["address"] for e in place["lb_endpoints"]]
    assert found == [
        {"pipe": {"path": "/run/a.sock"}},
        {"socket_address": {"address": "2001:db8::1", "port_value": 80}},
    ]


def test_who_is_not_ready_is_sent_only_where_envoy_must_know(world: ClusterMesh) -> None:
    world = world.with_(endpoints=(Endpoint("10.0.0.1", 80, health=Health.UNHEALTHY),))
    assert addresses(world.assignment()) == []
    near = world.with_(service={"traffic_distribution": "PreferClose"})
    assert near.assignment().endpoints[0].lb_endpoints[0].health_status == 2
    assert near.cluster().common_lb_config.HasField("healthy_panic_threshold")


def test_who_drains_is_sent_only_to_sessions_that_stick(world: ClusterMesh) -> None:
    world = world.with_(endpoints=(Endpoint("10.0.0.1", 80, health=Health.DRAINING),))
    assert addresses(world.assignment()) == []
    assert addresses(
        world.with_(service={"labels": {"istio.io/persistent-session": "c"}}).assignment()
    ) == ["10.0.0.1"]


def test_places_are_equal_without_outlier_detection(spread: ClusterMesh) -> None:
    assert set(priorities(spread.assignment()).values()) == {0}
    assert set(priorities(spread.with_(policy=locality(outlier=False)).assignment()).values()) == {
        0
    }


def test_the_mesh_prefers_near_places_where_outliers_are_detected(spread: ClusterMesh) -> None:
    rule = spread.with_(
        policy={"outlierDetection": {}}, mesh={"localityLbSetting": {"enabled": True}}
    )
    assert priorities(rule.assignment()) == {
        "same": 0,
        "zone": 1,
        "region": 2,
        "second": 3,
        "third": 3,
    }
    assert not rule.cluster().common_lb_config.HasField("locality_weighted_lb_config")
    off = spread.with_(
        policy=locality(enabled=False), mesh={"localityLbSetting": {"enabled": True}}
    )
    assert set(priorities(off.assignment()).values()) == {0}


def test_a_region_fails_over_to_the_one_it_names(spread: ClusterMesh) -> None:
    rule = spread.with_(
        policy=locality(failover=[{"from": "r1", "to": "r3"}, {"from": "r1", "to": "r2"}])
    )
    assert priorities(rule.assignment()) == {
        "same": 0,
        "zone": 1,
        "region": 2,
        "third": 3,
        "second": 4,
    }
    assert rule.cluster().common_lb_config.HasField("locality_weighted_lb_config")


def test_priorities_have_no_gaps(spread: ClusterMesh) -> None:
    far = spread.with_(endpoints=tuple(e for e in spread.endpoints if e.locality.region != "r1"))
    rule = far.with_(policy=locality(failover=[{"from": "r1", "to": "r3"}]))
    assert priorities(rule.assignment()) == {"third": 0, "second": 1}


def test_distribution_gives_places_their_shares_and_others_nothing(spread: ClusterMesh) -> None:
    rules = [
        {"from": "r9/*", "to": {"r2": 100}},
        {"from": "r1/*", "to": {"r1/z1/*": 80, "r2/*": 20}},
    ]
    rule = spread.with_(policy=locality(outlier=False, distribute=rules))
    assert weights(rule.assignment()) == {"same": 40, "zone": 40, "second": 20}
    assert rule.cluster().common_lb_config.HasField("locality_weighted_lb_config")
    first = spread.with_(
        policy=locality(outlier=False, distribute=[{"from": "*", "to": {"r1/z1": 50, "r1": 50}}])
    )
    assert weights(first.assignment()) == {"same": 25, "zone": 25, "region": 50}
    elsewhere = rule.with_(place=Locality("r4"))
    assert len(weights(elsewhere.assignment())) == 5


def test_labels_decide_before_places(world: ClusterMesh) -> None:
    endpoints = (
        Endpoint("10.0.0.1", 80, labels={"a": "1", "b": "2"}),
        Endpoint("10.0.0.2", 80, labels={"a": "1"}),
        Endpoint("10.0.0.3", 80, labels={"b": "2"}),
    )
    policy = locality(failoverPriority=["a", "b"])
    rule = world.with_(
        endpoints=endpoints, policy=policy, traits={"labels": (("a", "1"), ("b", "2"))}
    )
    assert priorities(rule.assignment()) == {"same": 0, "zone": 1, "region": 2}
    given = world.with_(endpoints=endpoints, policy=locality(failoverPriority=["a=9", "b=2"]))
    assert set(priorities(given.assignment()).values()) == {0}


def test_topology_labels_are_known_of_every_endpoint(spread: ClusterMesh) -> None:
    labels = ["topology.kubernetes.io/region", "topology.kubernetes.io/zone"]
    rule = spread.with_(policy=locality(failoverPriority=labels), place=Locality("r1", "z2"))
    assert priorities(rule.assignment()) == {
        "region": 0,
        "same": 1,
        "zone": 1,
        "second": 2,
        "third": 2,
    }


def test_another_network_comes_last(world: ClusterMesh) -> None:
    labels = ("topology.istio.io/network", "topology.kubernetes.io/region")
    endpoints = (
        Endpoint("10.0.0.1", 80, network="n1", locality=Locality("r1")),
        Endpoint("10.0.0.2", 80, network="n1", locality=Locality("r2")),
        Endpoint("10.0.0.3", 80, network="n2", locality=Locality("r1")),
        Endpoint("10.0.0.4", 80, network="n2", locality=Locality("r2")),
    )
    policy = locality(failoverPriority=list(labels))
    rule = world.with_(
        endpoints=endpoints, policy=policy, traits={"network": "n1"}, place=Locality("r1")
    )
    assert priorities(rule.assignment()) == {"same": 0, "zone": 1, "region": 2, "second": 3}


def test_a_service_may_prefer_its_zone_without_a_rule(spread: ClusterMesh) -> None:
    near = spread.with_(service={"traffic_distribution": "PreferClose"})
    assert priorities(near.assignment()) == {
        "same": 0,
        "zone": 0,
        "region": 1,
        "second": 2,
        "third": 2,
    }


def test_zone_awareness_keeps_a_region_together(spread: ClusterMesh) -> None:
    policy = {"loadBalancer": {"zoneAwareLbSetting": {"failover": [{"from": "r1", "to": "r3"}]}}}
    rule = spread.with_(policy=policy)
    assert priorities(rule.assignment()) == {
        "same": 0,
        "zone": 0,
        "region": 0,
        "third": 1,
        "second": 2,
    }
    assert rule.cluster().common_lb_config.HasField("zone_aware_lb_config")


def test_an_empty_assignment_is_still_one(world: ClusterMesh) -> None:
    assert addresses(world.with_(endpoints=()).assignment()) == []


def test_clusters_of_dns_carry_their_endpoints(world: ClusterMesh) -> None:
    endpoints = (Endpoint("a.example", 443, weight=2), Endpoint("b.example", 444))
    cluster = world.with_(
        resolution=Resolution.DNS, endpoints=endpoints, mesh={"dnsRefreshRate": "7s"}
    ).cluster()
    assert cluster.type == cluster.STRICT_DNS
    assert addresses(cluster.load_assignment) == ["a.example", "b.example"]
    assert cluster.dns_refresh_rate.seconds == 7
    assert world.with_(resolution=Resolution.DNS, endpoints=()).clusters() == {}


def test_what_is_passed_through_may_get_another_port(world: ClusterMesh) -> None:
    ports = (ServicePort("http", 80, Protocol.HTTP, 8080),)
    world = world.with_(resolution=Resolution.PASSTHROUGH, ports=ports)
    assert not world.cluster().HasField("original_dst_lb_config")
    entry = world.with_(service={"registry": Registry.EXTERNAL}).cluster()
    assert entry.type == entry.ORIGINAL_DST
    assert entry.original_dst_lb_config.upstream_port_override.value == 8080


def test_gateways_find_endpoints_where_sidecars_pass_through(world: ClusterMesh) -> None:
    cluster = world.with_(
        resolution=Resolution.PASSTHROUGH, traits={"type": ProxyType.ROUTER}
    ).cluster()
    assert cluster.type == cluster.EDS


def test_clusters_of_eds_have_an_assignment_of_the_same_name(world: ClusterMesh) -> None:
    world = world.with_(subsets=({"name": "v1"},))
    cluster = world.cluster()
    assert (
        cluster.eds_cluster_config.service_name == cluster.name == world.assignment().cluster_name
    )
    assert cluster.eds_cluster_config.eds_config.HasField("ads")
