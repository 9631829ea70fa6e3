"""The locality, cluster and network that a workload gets from the node and the cluster it runs
in."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from varka.proxy.node import Locality

REGION = "topology.kubernetes.io/region"
ZONE = "topology.kubernetes.io/zone"
SUBZONE = "topology.istio.io/subzone"
NETWORK = "topology.istio.io/network"
CLUSTER = "topology.istio.io/cluster"
HOSTNAME = "kubernetes.io/hostname"
_OLD_REGION = "failure-domain.beta.kubernetes.io/region"
_OLD_ZONE = "failure-domain.beta.kubernetes.io/zone"


class Topology(Struct, frozen=True, eq=False):
    """What endpoints inherit from the cluster they are in. The same object while no node moved."""

    cluster: str
    network: str = ""
    """Label `topology.istio.io/network` of the root namespace."""
    nodes: Mapping[str, Locality] = field(default_factory=dict)


def topology(cluster: str, network: str, nodes: frozenset[tuple[str, Locality]]) -> Topology:
    return Topology(cluster, network, dict(nodes))


def node_locality(labels: Mapping[str, str]) -> Locality:
    return Locality(
        labels.get(REGION) or labels.get(_OLD_REGION, ""),
        labels.get(ZONE) or labels.get(_OLD_ZONE, ""),
        labels.get(SUBZONE, ""),
    )


def declared_locality(labels: Mapping[str, str]) -> Locality:
    """What a workload's own labels say: `topology.istio.io/locality`, `istio-locality` or the
    topology labels."""
    text = labels.get("topology.istio.io/locality") or labels.get("istio-locality")
    return Locality.parse(text) if text else node_locality(labels)


def endpoint_labels(
    labels: Mapping[str, str], locality: Locality, cluster: str, node: str, network: str
) -> dict[str, str]:
    """The labels subsets select on: the workload's own and those Istio adds for where it runs."""
    result = dict(labels)
    for name, value in (
        (REGION, locality.region),
        (ZONE, locality.zone),
        (SUBZONE, locality.subzone),
        (CLUSTER, cluster),
        (HOSTNAME, node),
    ):
        if value:
            result[name] = value
    if network:
        result.setdefault(NETWORK, network)
    return result
