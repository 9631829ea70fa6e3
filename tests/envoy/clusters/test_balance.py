"""How clusters choose endpoints."""

from __future__ import annotations

from typing import Any

import pytest
from envoy.extensions.load_balancing_policies.client_side_weighted_round_robin.v3 import (
    client_side_weighted_round_robin_pb2,
)
from tests.envoy.clusters.conftest import ClusterMesh

from varka.registry.service import Endpoint


def balancer(**settings: Any) -> dict[str, Any]:
    return {"loadBalancer": settings}


@pytest.mark.parametrize(
    ("simple", "chosen"),
    [
        ("UNSPECIFIED", "LEAST_REQUEST"),
        ("LEAST_CONN", "LEAST_REQUEST"),
        ("LEAST_REQUEST", "LEAST_REQUEST"),
        ("ROUND_ROBIN", "ROUND_ROBIN"),
        ("RANDOM", "RANDOM"),
        ("PASSTHROUGH", "CLUSTER_PROVIDED"),
    ],
)
def test_simple_modes(world: ClusterMesh, simple: str, chosen: str) -> None:
    cluster = world.with_(policy=balancer(simple=simple)).cluster()
    assert cluster.LbPolicy.Name(cluster.lb_policy) == chosen


def test_passthrough_needs_no_endpoints(world: ClusterMesh) -> None:
    cluster = world.with_(policy=balancer(simple="PASSTHROUGH")).cluster()
    assert cluster.type == cluster.ORIGINAL_DST
    assert not cluster.HasField("eds_cluster_config")


def test_rings_have_the_size_asked_for(world: ClusterMesh) -> None:
    for settings, size in (
        ({}, 1024),
        ({"minimumRingSize": 7}, 7),
        ({"ringHash": {"minimumRingSize": 9}}, 9),
    ):
        hashing = {"httpHeaderName": "x", **settings}
        cluster = world.with_(policy=balancer(consistentHash=hashing)).cluster()
        assert cluster.lb_policy == cluster.RING_HASH
        assert cluster.ring_hash_lb_config.minimum_ring_size.value == size
    empty = world.with_(
        policy=balancer(consistentHash={"useSourceIp": True, "ringHash": {}})
    ).cluster()
    assert not empty.HasField("ring_hash_lb_config")


def test_maglev_tables_have_the_size_asked_for(world: ClusterMesh) -> None:
    cluster = world.with_(
        policy=balancer(consistentHash={"useSourceIp": True, "maglev": {"tableSize": 101}})
    ).cluster()
    assert cluster.lb_policy == cluster.MAGLEV
    assert cluster.maglev_lb_config.table_size.value == 101


def test_new_endpoints_warm_up(world: ClusterMesh) -> None:
    cluster = world.with_(
        policy=balancer(simple="ROUND_ROBIN", warmup={"duration": "5s"})
    ).cluster()
    slow = cluster.round_robin_lb_config.slow_start_config
    assert (
        slow.slow_start_window.seconds,
        slow.aggression.default_value,
        slow.min_weight_percent.value,
    ) == (5, 1, 10)
    older = world.with_(policy=balancer(warmupDurationSecs="7s")).cluster()
    assert older.least_request_lb_config.slow_start_config.slow_start_window.seconds == 7


def test_reported_load_decides_where_a_rule_says_so(world: ClusterMesh) -> None:
    asked = {
        "errorUtilizationPenaltyPercent": 150,
        "metricNamesForComputingUtilization": ["named_metrics.queue"],
        "weightExpirationPeriod": "60s",
        "weightStabilizationPeriod": "3s",
        "weightUpdatePeriod": "2s",
    }
    cluster = world.with_(policy=balancer(backendUtilization=asked)).cluster()
    (policy,) = cluster.load_balancing_policy.policies
    assert policy.typed_extension_config.name.endswith("client_side_weighted_round_robin")
    config = client_side_weighted_round_robin_pb2.ClientSideWeightedRoundRobin()
    policy.typed_extension_config.typed_config.Unpack(config)
    assert config.error_utilization_penalty.value == 1.5
    assert list(config.metric_names_for_computing_utilization) == ["named_metrics.queue"]
    periods = (config.weight_expiration_period, config.blackout_period, config.weight_update_period)
    assert [period.seconds for period in periods] == [60, 3, 2]


def test_zone_awareness_may_be_switched_off(world: ClusterMesh) -> None:
    cluster = world.with_(policy=balancer(zoneAwareLbSetting={"enabled": False})).cluster()
    zones = cluster.common_lb_config.zone_aware_lb_config
    assert zones.HasField("routing_enabled")
    assert zones.routing_enabled.value == 0


def test_weights_of_a_place_stay_within_what_envoy_can_add(world: ClusterMesh) -> None:
    heavy = tuple(Endpoint(f"10.0.0.{n}", 80, weight=2**31) for n in (1, 2))
    (place,) = world.with_(endpoints=heavy).assignment().endpoints
    assert place.load_balancing_weight.value == 2**32 - 1
