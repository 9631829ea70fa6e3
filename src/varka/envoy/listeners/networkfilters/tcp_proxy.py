"""Passes bytes on to clusters, where a chain does not speak HTTP."""

from __future__ import annotations

from collections.abc import Iterator

from envoy.extensions.filters.network.tcp_proxy.v3 import tcp_proxy_pb2
from envoy.type.v3 import hash_policy_pb2

from varka.envoy import wkt
from varka.envoy.build import ListenerBuild
from varka.envoy.listeners.accesslog import tcp_logs
from varka.envoy.listeners.chains import TcpTarget
from varka.envoy.listeners.networkfilters.spec import NetworkFilter, Target
from varka.envoy.listeners.parts import Side


def _configs(build: ListenerBuild, side: Side, target: Target) -> Iterator[tcp_proxy_pb2.TcpProxy]:
    if not isinstance(target, TcpTarget):
        return
    logs = tcp_logs(build, side) if target.logged else []
    proxy = tcp_proxy_pb2.TcpProxy(stat_prefix=target.stat_prefix, access_log=logs)
    if len(target.clusters) == 1:
        proxy.cluster = target.clusters[0].name
    else:
        for cluster in target.clusters:
            proxy.weighted_clusters.clusters.add(name=cluster.name, weight=cluster.weight)
    if target.idle_timeout is not None:
        proxy.idle_timeout.CopyFrom(wkt.duration(target.idle_timeout))
    if target.max_duration is not None:
        proxy.max_downstream_connection_duration.CopyFrom(wkt.duration(target.max_duration))
    if target.hash_source_ip:
        proxy.hash_policy.append(
            hash_policy_pb2.HashPolicy(source_ip=hash_policy_pb2.HashPolicy.SourceIp())
        )
    if target.tunnel is not None:
        proxy.tunneling_config.hostname, proxy.tunneling_config.use_post = target.tunnel
    yield proxy


FILTER = NetworkFilter("envoy.filters.network.tcp_proxy", _configs)
