"""Workloads: pods and workload entries as the same value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from varka.base.ip import is_ip
from varka.base.names import Namespace, ObjectKey
from varka.proxy.node import Locality
from varka.registry.topology import NETWORK, Topology, declared_locality, endpoint_labels
from varka.resources.model import kubernetes, networking
from varka.resources.resource import Resource

TLS_MODE = "security.istio.io/tlsMode"
UNIX = "unix://"
_WORKLOAD_NAME = "service.istio.io/workload-name"
_CRON_JOB = re.compile(r"(.+)-\d{8,10}$")


class Workload(Struct, frozen=True, eq=False):
    """One pod or workload entry, whatever service selects it."""

    source: ObjectKey
    name: str
    """The name of the Deployment (or other owner) where it is known, else the object's own."""
    namespace: Namespace
    addresses: tuple[str, ...]
    labels: Mapping[str, str]
    """The object's labels and those that say its locality, cluster, network and node."""
    service_account: str = ""
    locality: Locality = Locality()
    network: str = ""
    node: str = ""
    weight: int = 0
    tls_mode: str = ""
    ready: bool = True
    is_pod: bool = True
    ports: Mapping[str, int] = field(default_factory=dict)
    """Named ports: `TCP/name` of a pod's containers, or the `ports` of a WorkloadEntry."""

    @property
    def has_ip(self) -> bool:
        """Its addresses are IP addresses, not names or sockets: what a Service can select."""
        return bool(self.addresses) and all(is_ip(a) for a in self.addresses)


def of_pod(resource: Resource[kubernetes.Pod], topology: Topology) -> Workload:
    spec, status = resource.spec.spec, resource.spec.status
    own = declared_locality(resource.labels)
    locality = own if own != Locality() else topology.nodes.get(spec.node_name, Locality())
    network = resource.labels.get(NETWORK) or topology.network
    return Workload(
        source=resource.key,
        name=resource.labels.get(_WORKLOAD_NAME) or _owner_name(resource),
        namespace=Namespace(resource.namespace),
        addresses=_addresses(status),
        labels=endpoint_labels(
            resource.labels, locality, topology.cluster, spec.node_name, network
        ),
        service_account=spec.service_account_name or "default",
        locality=locality,
        network=network,
        node=spec.node_name,
        tls_mode=resource.labels.get(TLS_MODE, ""),
        ready=_is_ready(status),
        ports=_container_ports(spec),
    )


def of_entry(
    entry: networking.WorkloadEntry,
    source: ObjectKey,
    name: str,
    labels: Mapping[str, str],
    topology: Topology,
    ready: bool = True,
) -> Workload:
    """A WorkloadEntry object or an inline endpoint of a ServiceEntry."""
    locality = Locality.parse(entry.locality) if entry.locality else declared_locality(labels)
    network = entry.network or labels.get(NETWORK) or topology.network
    return Workload(
        source=source,
        name=name,
        namespace=Namespace(source.namespace),
        addresses=(entry.address,) if entry.address else (),
        labels=endpoint_labels(labels, locality, topology.cluster, "", network),
        service_account=entry.service_account,
        locality=locality,
        network=network,
        weight=entry.weight,
        tls_mode=labels.get(TLS_MODE, "istio" if entry.service_account else ""),
        ready=ready,
        is_pod=False,
        ports=entry.ports,
    )


def of_workload_entry(resource: Resource[networking.WorkloadEntry], topology: Topology) -> Workload:
    labels = {**resource.spec.labels, **resource.labels}
    name = (
        resource.annotations.get("istio.io/autoRegistrationGroup")
        or labels.get(_WORKLOAD_NAME)
        or resource.name
    )
    return of_entry(resource.spec, resource.key, name, labels, topology, _is_healthy(resource))


def _is_healthy(resource: Resource[networking.WorkloadEntry]) -> bool:
    if resource.annotations.get("proxy.istio.io/health-checks-enabled", "").lower() not in (
        "1",
        "t",
        "true",
    ):
        return True
    conditions = (resource.raw.get("status") or {}).get("conditions") or ()
    return any(c.get("type") == "Healthy" and c.get("status") == "True" for c in conditions)


def _addresses(status: kubernetes.PodStatus) -> tuple[str, ...]:
    """A pod that has ended has none: another may have got its address."""
    if status.phase in ("Failed", "Succeeded"):
        return ()
    return tuple(ip.ip for ip in status.pod_ips) or ((status.pod_ip,) if status.pod_ip else ())


def _is_ready(status: kubernetes.PodStatus) -> bool:
    """A pod nobody reports on (no conditions in a plain file) counts as ready."""
    return all(c.status == "True" for c in status.conditions if c.type == "Ready")


def _container_ports(spec: kubernetes.PodSpec) -> dict[str, int]:
    sidecars = (c for c in spec.init_containers if c.restart_policy == "Always")
    ports: dict[str, int] = {}
    for container in (*spec.containers, *sidecars):
        for port in container.ports:
            if port.name:
                ports.setdefault(f"{port.protocol or 'TCP'}/{port.name}", port.container_port)
    return ports


def _owner_name(resource: Resource[Any]) -> str:
    """Istio's guess at the Deployment, Rollout or CronJob behind a generated pod name."""
    metadata = resource.raw.get("metadata") or {}
    owner = next((o for o in metadata.get("ownerReferences") or () if o.get("controller")), None)
    if not metadata.get("generateName") or owner is None:
        return resource.name
    kind, name = owner.get("kind", ""), str(owner.get("name", ""))
    if kind == "ReplicaSet":
        for label in ("pod-template-hash", "rollouts-pod-template-hash"):
            value = resource.labels.get(label)
            if value and name.endswith(value):
                return name.removesuffix(f"-{value}")
    elif kind == "ReplicationController" and resource.labels.get("deploymentconfig"):
        return resource.labels["deploymentconfig"]
    elif kind == "Job" and (found := _CRON_JOB.fullmatch(name)):
        return found[1]
    return name
