"""Who a proxy is: what Istio's node metadata says of its pod."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from varka.local.workload.cluster import ProxyPlan
from varka.local.workload.containers import PROXY_CONTAINER
from varka.local.workload.proxysettings import INTERCEPTION, PLAIN, ProxySettings, annotation
from varka.local.workload.workloads import PodPlan

ISTIO_VERSION = "1.32.0"
_OWNER_VERSIONS = {"": "v1"}


class ProxyIdentity(Struct, frozen=True):
    """The pod that an Envoy stands in for. `type` is `sidecar` or `router`; `ports` are (name,
    containerPort, protocol)."""

    type: str
    pod: str
    namespace: str
    ip: str
    service_account: str = "default"
    workload: str = ""
    owner_kind: str = "deployment"
    owner_version: str = "apps/v1"
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    containers: Sequence[str] = ()
    ports: Sequence[tuple[str, int, str]] = ()
    node: str = ""
    proxy_config: Mapping[str, Any] = field(default_factory=dict)
    """The pod's own, as its annotation has it: the control plane puts it over that of the mesh."""
    settings: ProxySettings = PLAIN

    @property
    def id(self) -> str:
        return (
            f"{self.type}~{self.ip}~{self.pod}.{self.namespace}~{self.namespace}.svc.cluster.local"
        )


def locality(labels: Mapping[str, str]) -> dict[str, str]:
    """A pod's place: its label `istio-locality` (`region.zone.subzone`), else the well-known
    topology labels."""
    if "istio-locality" in labels:
        parts = labels["istio-locality"].replace("/", ".").split(".", 2)
        return dict(zip(("region", "zone", "sub_zone"), parts, strict=False))
    keys = {
        "topology.kubernetes.io/region": "region",
        "topology.kubernetes.io/zone": "zone",
        "topology.istio.io/subzone": "sub_zone",
    }
    return {part: labels[key] for key, part in keys.items() if key in labels}


def metadata(proxy: ProxyIdentity) -> dict[str, Any]:
    """Istio's node metadata (pilot/pkg/model NodeMetadata); what Istio's agent writes as strings
    are strings here. DNS counts as captured: the mesh's server gives sidecars the addresses made up
    for ServiceEntries."""
    ports = [
        {"name": name, "containerPort": port, "protocol": protocol}
        for name, port, protocol in proxy.ports
    ]
    return {
        "ANNOTATIONS": dict(proxy.annotations),
        "APP_CONTAINERS": ",".join(proxy.containers),
        "CLUSTER_ID": "Kubernetes",
        "DNS_AUTO_ALLOCATE": "true",
        "DNS_CAPTURE": "true",
        "ENVOY_PROMETHEUS_PORT": 15090,
        "ENVOY_STATUS_PORT": 15021,
        "INSTANCE_IPS": proxy.ip,
        "INTERCEPTION_MODE": (
            proxy.annotations.get(INTERCEPTION) or proxy.settings.interception or "REDIRECT"
        ),
        "ISTIO_VERSION": ISTIO_VERSION,
        "LABELS": dict(proxy.labels),
        "MESH_ID": proxy.settings.mesh_id or "cluster.local",
        "NAME": proxy.pod,
        "NAMESPACE": proxy.namespace,
        "NODE_NAME": proxy.node,
        "OWNER": (
            f"kubernetes://apis/{proxy.owner_version}/namespaces/{proxy.namespace}/{proxy.owner_kind}s/{proxy.workload}"
        ),
        "PILOT_SAN": ["istiod.istio-system.svc"],
        "POD_PORTS": json.dumps(ports),
        "PROXY_CONFIG": dict(proxy.proxy_config),
        "SERVICE_ACCOUNT": proxy.service_account,
        "WORKLOAD_NAME": proxy.workload,
        **proxy.settings.metadata,
    }


def identity_of(plan: PodPlan, ip: str, proxy: ProxyPlan) -> ProxyIdentity:
    """Of the proxy of a pod. Raises ValueError for an annotation that is no ProxyConfig."""
    containers = plan.spec.containers
    return ProxyIdentity(
        type=proxy.kind,
        pod=plan.name,
        namespace=plan.namespace,
        ip=ip,
        service_account=plan.service_account,
        workload=plan.workload,
        owner_kind=plan.owner.kind.lower(),
        owner_version=_OWNER_VERSIONS.get(plan.owner.group, f"{plan.owner.group}/v1"),
        labels=plan.labels,
        annotations=plan.annotations,
        containers=[one.name for one in containers if one.name != PROXY_CONTAINER],
        ports=[
            (port.name, port.container_port, port.protocol)
            for one in containers
            for port in one.ports
        ],
        node=plan.node,
        proxy_config=annotation(plan.annotations),
        settings=proxy.settings,
    )
