"""Cluster patches."""

from __future__ import annotations

from envoy.config.cluster.v3 import cluster_pb2

from varka.envoy.filters.merge import merge, merged_any
from varka.envoy.filters.patch import MERGES, Patch, Run
from varka.resources.model.networking import ApplyTo, Operation


def patch_cluster(run: Run, cluster: cluster_pb2.Cluster) -> bool:
    """Change a decoded cluster in place; False when it is removed."""
    for patch in run.of(ApplyTo.CLUSTER, lambda p: _matches(p, cluster)):
        if patch.operation is Operation.REMOVE:
            run.hit(patch)
            return False
        if patch.operation in MERGES:
            run.hit(patch)
            if not _transport_socket(cluster, patch.value):
                merge(
                    cluster,
                    patch.value,
                    replace_lists=patch.operation is Operation.MERGE_AND_REPLACE_LIST,
                )
    return True


def _transport_socket(cluster: cluster_pb2.Cluster, value: cluster_pb2.Cluster) -> bool:
    """A patch with a transport socket changes only that: merged where the name is the same, else
    put in its place."""
    if not value.HasField("transport_socket"):
        return False
    name = value.transport_socket.name
    if cluster.transport_socket_matches:
        targets = [
            m.transport_socket
            for m in cluster.transport_socket_matches
            if m.transport_socket.name == name
        ][:1]
        if not targets:
            return True
    else:
        targets = (
            [cluster.transport_socket]
            if cluster.HasField("transport_socket") and cluster.transport_socket.name == name
            else []
        )
    if not targets:
        cluster.transport_socket.CopyFrom(value.transport_socket)
    for target in targets:
        merged = merged_any(target.typed_config, value.transport_socket.typed_config)
        if merged is not None:
            target.typed_config.CopyFrom(merged)
    return True


def _matches(patch: Patch, cluster: cluster_pb2.Cluster) -> bool:
    match = patch.cluster
    if match is None:
        return True
    if match.name:
        return bool(match.name == cluster.name)
    direction, port, subset, host = (cluster.name.split("|") + [""] * 4)[:4]
    hosts = _inbound_hosts(cluster) or [host] if direction == "inbound" else [host]
    return all(
        (
            match.subset in ("", subset),
            match.service in ("", *hosts),
            str(match.port_number) in ("0", port),
        )
    )


def _inbound_hosts(cluster: cluster_pb2.Cluster) -> list[str]:
    """An inbound cluster's name has no host; its metadata tells the services it serves."""
    known = cluster.metadata.filter_metadata
    services = known["istio"].fields["services"].list_value.values if "istio" in known else ()
    return [s.struct_value.fields["host"].string_value for s in services]
