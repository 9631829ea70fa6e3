"""How a cluster chooses an endpoint (`trafficPolicy.loadBalancer`)."""

from __future__ import annotations

from typing import TypeAlias

from envoy.config.cluster.v3 import cluster_pb2
from envoy.extensions.load_balancing_policies.client_side_weighted_round_robin.v3 import (
    client_side_weighted_round_robin_pb2,
)

from varka.envoy import wkt
from varka.envoy.clusters.builder import ClusterBuilder
from varka.envoy.trafficpolicy.loadbalancer import Balancing, sends_unhealthy
from varka.registry.service import Service
from varka.resources.model import networking

_SIMPLE = networking.SimpleLB
_CLUSTER = cluster_pb2.Cluster
_WithSlowStart: TypeAlias = (
    "cluster_pb2.Cluster.RoundRobinLbConfig | cluster_pb2.Cluster.LeastRequestLbConfig"
    " | client_side_weighted_round_robin_pb2.ClientSideWeightedRoundRobin"
)


def apply_balancing(
    builder: ClusterBuilder,
    service: Service,
    settings: networking.LoadBalancerSettings | None,
    balancing: Balancing,
) -> None:
    """Policy, its options, and whether localities have weights. Least request unless a rule says
    otherwise."""
    cluster = builder.message
    if sends_unhealthy(service):
        cluster.common_lb_config.healthy_panic_threshold.SetInParent()
    _localities(cluster, balancing)
    if builder.original_dst:
        cluster.lb_policy = _CLUSTER.CLUSTER_PROVIDED
        return
    simple = settings.simple if settings else None
    if simple is _SIMPLE.RANDOM:
        cluster.lb_policy = _CLUSTER.RANDOM
    elif simple is _SIMPLE.ROUND_ROBIN:
        cluster.lb_policy = _CLUSTER.ROUND_ROBIN
        _slow_start(cluster.round_robin_lb_config, settings)
    elif settings is not None and settings.consistent_hash is not None:
        _consistent_hash(cluster, settings.consistent_hash)
    elif settings is not None and settings.backend_utilization is not None:
        _by_utilization(cluster, settings, settings.backend_utilization)
    else:
        cluster.lb_policy = _CLUSTER.LEAST_REQUEST
        _slow_start(cluster.least_request_lb_config, settings)


def _localities(cluster: cluster_pb2.Cluster, balancing: Balancing) -> None:
    common = cluster.common_lb_config
    common.SetInParent()
    if balancing.zone_aware is not None:
        setting = balancing.zone_aware
        common.zone_aware_lb_config.SetInParent()
        if setting.enabled is False:
            common.zone_aware_lb_config.routing_enabled.value = 0
        if setting.min_cluster_size is not None:
            common.zone_aware_lb_config.min_cluster_size.value = setting.min_cluster_size
    elif balancing.weighted:
        common.locality_weighted_lb_config.SetInParent()


def _slow_start(config: _WithSlowStart, settings: networking.LoadBalancerSettings | None) -> None:
    """Warm-up of new endpoints, linear from 10 % unless said otherwise."""
    if settings is None:
        return
    warmup = settings.warmup
    if warmup is not None:
        slow = config.slow_start_config
        slow.slow_start_window.CopyFrom(wkt.duration(warmup.duration or 0))
        slow.aggression.default_value = 1 if warmup.aggression is None else warmup.aggression
        # Envoy wants a runtime key to be there; none is meant.
        slow.aggression.runtime_key = "("
        slow.min_weight_percent.value = (
            10 if warmup.minimum_percent is None else warmup.minimum_percent
        )
    elif settings.warmup_duration_secs is not None:
        config.slow_start_config.slow_start_window.CopyFrom(
            wkt.duration(settings.warmup_duration_secs)
        )


def _consistent_hash(cluster: cluster_pb2.Cluster, settings: networking.ConsistentHashLB) -> None:
    """What is hashed is the route's (or TCP proxy's) part; here is how the hash finds an
    endpoint."""
    if settings.maglev is not None:
        cluster.lb_policy = _CLUSTER.MAGLEV
        if settings.maglev.table_size:
            cluster.maglev_lb_config.table_size.value = settings.maglev.table_size
        return
    cluster.lb_policy = _CLUSTER.RING_HASH
    ring = (
        settings.ring_hash.minimum_ring_size
        if settings.ring_hash
        else settings.minimum_ring_size or 1024
    )
    if ring:
        cluster.ring_hash_lb_config.minimum_ring_size.value = ring


def _by_utilization(
    cluster: cluster_pb2.Cluster,
    settings: networking.LoadBalancerSettings,
    reported: networking.BackendUtilization,
) -> None:
    """`backendUtilization`: endpoints report their load (ORCA) and get traffic accordingly. Envoy's
    policy for it has no older form, and other names for the same."""
    config = client_side_weighted_round_robin_pb2.ClientSideWeightedRoundRobin()
    config.metric_names_for_computing_utilization.extend(
        reported.metric_names_for_computing_utilization
    )
    if reported.error_utilization_penalty_percent is not None:
        config.error_utilization_penalty.value = reported.error_utilization_penalty_percent / 100
    for target, period in (
        (config.blackout_period, reported.weight_stabilization_period),
        (config.weight_expiration_period, reported.weight_expiration_period),
        (config.weight_update_period, reported.weight_update_period),
    ):
        if period is not None:
            target.CopyFrom(wkt.duration(period))
    _slow_start(config, settings)
    # Envoy refuses locality settings of the older form beside a policy of the newer.
    cluster.common_lb_config.ClearField("locality_weighted_lb_config")
    cluster.common_lb_config.ClearField("zone_aware_lb_config")
    policy = cluster.load_balancing_policy.policies.add().typed_extension_config
    policy.name = "envoy.load_balancing_policies.client_side_weighted_round_robin"
    policy.typed_config.CopyFrom(wkt.pack(config))
