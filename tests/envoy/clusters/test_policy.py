"""How a rule's blocks meet: subset over rule, port over both, the mesh below."""

from __future__ import annotations

from typing import Any

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from tests.envoy.clusters.conftest import ClusterMesh, Shown

from varka.registry.service import Endpoint, Protocol, ServicePort

MAX = 2**32 - 1


def limits(cluster: Cluster) -> tuple[int, int, int, int]:
    (t,) = cluster.circuit_breakers.thresholds
    return (
        t.max_connections.value,
        t.max_pending_requests.value,
        t.max_requests.value,
        t.max_retries.value,
    )


def pool(connections: int) -> dict[str, Any]:
    return {"connectionPool": {"tcp": {"maxConnections": connections}}}


def test_without_a_rule_nothing_is_limited_and_requests_go_to_the_least_loaded(
    world: ClusterMesh,
) -> None:
    cluster = world.cluster()
    assert limits(cluster) == (MAX, MAX, MAX, MAX)
    assert cluster.LbPolicy.Name(cluster.lb_policy) == "LEAST_REQUEST"
    assert cluster.connect_timeout.seconds == 10
    assert not cluster.HasField("outlier_detection")
    assert not cluster.HasField("transport_socket")


def test_all_limits_of_a_pool_are_taken(world: ClusterMesh) -> None:
    http = {"http1MaxPendingRequests": 2, "http2MaxRequests": 3, "maxRetries": 4}
    cluster = world.with_(
        policy={"connectionPool": {"tcp": {"maxConnections": 1}, "http": http}}
    ).cluster()
    assert limits(cluster) == (1, 2, 3, 4)


def test_numbers_below_one_limit_nothing(world: ClusterMesh) -> None:
    http = {
        "http1MaxPendingRequests": -1,
        "http2MaxRequests": 0,
        "maxRetries": 2**40,
        "maxRequestsPerConnection": -1,
    }
    cluster = world.with_(
        policy={"connectionPool": {"tcp": {"maxConnections": -5}, "http": http}}
    ).cluster()
    assert limits(cluster) == (MAX, MAX, MAX, MAX)


def test_a_subset_overrides_block_by_block(world: ClusterMesh) -> None:
    policy = {**pool(1), "loadBalancer": {"simple": "RANDOM"}}
    least = {"name": "v3", "trafficPolicy": {"loadBalancer": {"simple": "ROUND_ROBIN"}}}
    clusters = world.with_(
        policy=policy, subsets=({"name": "v1", "trafficPolicy": pool(2)}, {"name": "v2"}, least)
    ).clusters()
    host = "a.ns.svc.cluster.local"
    v1, v2 = clusters[f"outbound|80|v1|{host}"], clusters[f"outbound|80|v2|{host}"]
    assert limits(v1)[0] == 2
    assert limits(v2)[0] == 1
    assert v1.lb_policy == v2.lb_policy == v1.RANDOM
    v3 = clusters[f"outbound|80|v3|{host}"]
    assert (v3.lb_policy, limits(v3)[0]) == (v3.ROUND_ROBIN, 1)


def test_port_level_settings_replace_everything_of_their_level(world: ClusterMesh) -> None:
    own = {"port": {"number": 80}, "outlierDetection": {}}
    policy = {**pool(1), "loadBalancer": {"simple": "RANDOM"}, "portLevelSettings": [own]}
    ports = (ServicePort("http", 80, Protocol.HTTP), ServicePort("more", 81, Protocol.HTTP))
    first, second = world.with_(policy=policy, ports=ports).clusters().values()
    assert limits(first)[0] == MAX
    assert first.lb_policy == first.LEAST_REQUEST
    assert first.HasField("outlier_detection")
    assert limits(second)[0] == 1
    assert not second.HasField("outlier_detection")


def test_port_level_settings_of_a_subset_replace_the_rules_blocks(world: ClusterMesh) -> None:
    subset = {
        "name": "v1",
        "trafficPolicy": {"portLevelSettings": [{"port": {"number": 80}, **pool(5)}]},
    }
    cluster = world.with_(
        policy={"loadBalancer": {"simple": "RANDOM"}}, subsets=(subset,)
    ).cluster()
    assert limits(cluster)[0] == 5
    assert cluster.lb_policy == cluster.LEAST_REQUEST


def test_the_meshs_default_policy_lies_below_rules_and_ports(world: ClusterMesh) -> None:
    mesh = {
        "defaultTrafficPolicy": {
            "connectionPool": pool(7)["connectionPool"],
            "outlierDetection": {},
        }
    }
    bare = world.with_(mesh=mesh)
    assert limits(bare.cluster())[0] == 7
    own = {"portLevelSettings": [{"port": {"number": 80}, "loadBalancer": {"simple": "RANDOM"}}]}
    cluster = bare.with_(policy=own).cluster()
    assert limits(cluster)[0] == 7
    assert cluster.HasField("outlier_detection")
    assert limits(bare.with_(policy=pool(1)).cluster())[0] == 1


def test_passthrough_of_a_rule_holds_for_its_subsets(world: ClusterMesh) -> None:
    subset = {"name": "v1", "trafficPolicy": {"loadBalancer": {"simple": "RANDOM"}}}
    for cluster in (
        world.with_(policy={"loadBalancer": {"simple": "PASSTHROUGH"}}, subsets=(subset,))
        .clusters()
        .values()
    ):
        assert cluster.type == cluster.ORIGINAL_DST
        assert cluster.lb_policy == cluster.CLUSTER_PROVIDED


def test_a_retry_budget_has_istios_defaults(world: ClusterMesh) -> None:
    budget = (
        world.with_(policy={"retryBudget": {}})
        .cluster()
        .circuit_breakers.thresholds[0]
        .retry_budget
    )
    assert (budget.budget_percent.value, budget.min_retry_concurrency.value) == (20, 3)


def test_keepalive_of_a_rule_overrides_the_meshs_field_by_field(world: ClusterMesh) -> None:
    policy = {"connectionPool": {"tcp": {"tcpKeepalive": {"time": "7s"}}}}
    cluster = world.with_(
        mesh={"tcpKeepalive": {"time": "1s", "probes": 9}}, policy=policy
    ).cluster()
    keepalive = cluster.upstream_connection_options.tcp_keepalive
    assert (keepalive.keepalive_time.value, keepalive.keepalive_probes.value) == (7, 9)


def test_outlier_detection_switches_panic_and_success_rates_off(world: ClusterMesh) -> None:
    policy = {"outlierDetection": {"consecutive5xxErrors": 3, "consecutiveGatewayErrors": 0}}
    cluster = world.with_(policy=policy).cluster()
    outlier = cluster.outlier_detection
    assert outlier.enforcing_success_rate.value == 0
    assert (outlier.consecutive_5xx.value, outlier.enforcing_consecutive_5xx.value) == (3, 100)
    assert outlier.HasField("enforcing_consecutive_gateway_failure")
    assert outlier.enforcing_consecutive_gateway_failure.value == 0
    assert cluster.common_lb_config.HasField("healthy_panic_threshold")
    assert cluster.common_lb_config.healthy_panic_threshold.value == 0


def test_what_a_cluster_was_made_from_is_in_its_metadata(world: ClusterMesh, shown: Shown) -> None:
    policy = {"tls": {"mode": "SIMPLE"}}
    cluster = world.with_(
        policy=policy, subsets=({"name": "v1"},), service={"mesh_external": True}
    ).clusters()
    whole, subset = (shown(c)["metadata"]["filter_metadata"]["istio"] for c in cluster.values())
    service = [{"host": "a.ns.svc.cluster.local", "name": "a", "namespace": "ns"}]
    config = "/apis/networking.istio.io/v1/namespaces/ns/destination-rule/rule"
    assert whole == {
        "services": service,
        "config": config,
        "external": True,
        "alpn_override": "false",
    }
    assert subset == {
        "services": service,
        "config": config,
        "subset": "v1",
        "alpn_override": "false",
    }


def test_statistics_are_named_by_the_meshs_pattern(world: ClusterMesh) -> None:
    mesh = {
        "outboundClusterStatName": (
            "%SERVICE%_%SERVICE_FQDN%_%SERVICE_PORT%_%SERVICE_PORT_NAME%_%SUBSET_NAME%"
        )
    }
    assert world.cluster().alt_stat_name == "outbound|80||a.ns.svc.cluster.local;"
    cluster = world.with_(mesh=mesh, subsets=({"name": "v1"},)).cluster()
    assert cluster.alt_stat_name == "a.ns_a.ns.svc.cluster.local_80_http_v1;"


def test_udp_ports_make_no_cluster(world: ClusterMesh) -> None:
    assert (
        world.with_(
            ports=(ServicePort("dns", 53, Protocol.UDP),), endpoints=(Endpoint("1.1.1.1", 53),)
        ).clusters()
        == {}
    )
