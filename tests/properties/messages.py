"""What decoded Envoy messages name."""

from __future__ import annotations

from collections.abc import Iterator

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2

MANAGER = http_connection_manager_pb2.HttpConnectionManager


def managers(listener: Listener) -> Iterator[MANAGER]:
    """The HTTP connection managers of a listener."""
    chains = [
        *listener.filter_chains,
        *([listener.default_filter_chain] if listener.HasField("default_filter_chain") else []),
    ]
    for chain in chains:
        for filter_ in chain.filters:
            if filter_.typed_config.Is(MANAGER.DESCRIPTOR):
                manager = MANAGER()
                filter_.typed_config.Unpack(manager)
                yield manager


def route_names(listener: Listener) -> set[str]:
    return {
        manager.rds.route_config_name for manager in managers(listener) if manager.HasField("rds")
    }


def assignment_names(cluster: Cluster) -> set[str]:
    return (
        {cluster.eds_cluster_config.service_name or cluster.name}
        if cluster.type == cluster.EDS
        else set()
    )


def holds_virtual_hosts(route: RouteConfiguration) -> bool:
    """Virtual hosts travel alone."""
    return bool(route.HasField("vhds"))
