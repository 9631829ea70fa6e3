"""What a Kubernetes API server and an Istio installation would add to the manifests: addresses,
namespaces, gateways."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from varka.inject.decision import INJECT, NAMESPACE_LABEL, TEMPLATES
from varka.local.network.addresses import DNS_ADDRESS
from varka.local.workload.workloads import WORKLOAD_KINDS

Object = Mapping[str, Any]

ROOT_NAMESPACE = "istio-system"
PROFILES: Mapping[str, tuple[str, ...]] = {
    "default": ("istio-ingressgateway",),
    "demo": ("istio-ingressgateway", "istio-egressgateway"),
    "minimal": (),
}
_MESH: Mapping[str, str] = {"demo": "accessLogFile: /dev/stdout\n"}
_GATEWAY_PORTS = ((15021, 15021, "status-port"), (80, 8080, "http2"), (443, 8443, "https"))
_CLUSTER_SCOPED = frozenset(
    {"Namespace", "Node", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding"}
)


class Options(Struct, frozen=True):
    """`inject`: namespaces that nobody declares get `istio-injection: enabled`."""

    profile: str = "default"
    inject: bool = True


class Admission(Struct, frozen=True, eq=False):
    """`changed` are objects of the manifests with what was missing filled in; `added` are new.
    `addresses` (by `name.namespace`) is to be kept and handed in again: a Service keeps its
    address."""

    changed: Sequence[Object] = ()
    added: Sequence[Object] = ()
    addresses: Mapping[str, str] = field(default_factory=dict)


def admit(
    objects: Sequence[Object],
    addresses: Mapping[str, str],
    options: Options = Options(),
    ingress: Mapping[str, str] | None = None,
) -> Admission:
    """Look at all objects of the manifests at once. `ingress` are the labels of the gateway that
    Ingresses want, None without any. Raises KeyError for an unknown profile."""
    gateways = [
        made for name in PROFILES[options.profile] for made in _gateway(name, objects, ingress)
    ]
    config = _mesh_config(objects, options.profile)
    namespaces = _namespaces([*objects, *gateways], options.inject)
    kept = dict(addresses)
    taken = {
        str(spec.get("clusterIP"))
        for value in objects
        if (spec := value.get("spec") or {}) and value.get("kind") == "Service"
    }
    taken |= {DNS_ADDRESS, *kept.values()}
    changed = [_with_address(value, kept, taken) for value in objects if _wants_address(value)]
    added = [
        _with_address(value, kept, taken) if _wants_address(value) else value
        for value in [*namespaces, *config, *gateways]
    ]
    return Admission(changed, added, kept)


def _wants_address(value: Object) -> bool:
    spec = value.get("spec") or {}
    return (
        value.get("kind") == "Service"
        and spec.get("type") != "ExternalName"
        and not spec.get("clusterIP")
    )


def _with_address(service: Object, kept: dict[str, str], taken: set[str]) -> Object:
    metadata = service["metadata"]
    key = f"{metadata['name']}.{metadata.get('namespace') or 'default'}"
    if key not in kept:
        kept[key] = _free_address(key, taken)
        taken.add(kept[key])
    return {
        **service,
        "spec": {**(service.get("spec") or {}), "clusterIP": kept[key], "clusterIPs": [kept[key]]},
    }


def _free_address(key: str, taken: set[str]) -> str:
    """Where the name's hash points, or the next free one: most Services have the same address on
    every machine."""
    start = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4])
    for step in range(65000):
        third, fourth = divmod((start + step) % 65000, 250)
        address = f"10.96.{third % 256}.{fourth + 1}"
        if address not in taken:
            return address
    raise OverflowError("no Service address is left in 10.96.0.0/16")


def _namespaces(objects: Sequence[Object], inject: bool) -> list[Object]:
    declared = {
        str(value["metadata"]["name"]) for value in objects if value.get("kind") == "Namespace"
    }
    used = {
        str(value["metadata"].get("namespace") or "default")
        for value in objects
        if value.get("kind") not in _CLUSTER_SCOPED
    }
    return [
        _namespace(name, inject) for name in sorted({*used, "default", ROOT_NAMESPACE} - declared)
    ]


def _namespace(name: str, inject: bool) -> Object:
    """Istio's own namespace is made by its installation, without the label."""
    labels = {"kubernetes.io/metadata.name": name}
    if inject and name != ROOT_NAMESPACE:
        labels[NAMESPACE_LABEL] = "enabled"
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _mesh_config(objects: Sequence[Object], profile: str) -> list[Object]:
    """The ConfigMap `istio` of a profile that changes defaults."""
    text = _MESH.get(profile)
    metadata = {"name": "istio", "namespace": ROOT_NAMESPACE}
    declared = any(
        value.get("kind") == "IstioOperator"
        or (
            value.get("kind") == "ConfigMap" and metadata.items() <= dict(value["metadata"]).items()
        )
        for value in objects
    )
    if text is None or declared:
        return []
    return [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"mesh": text}}]


def _gateway(
    name: str, objects: Sequence[Object], ingress: Mapping[str, str] | None
) -> list[Object]:
    """Deployment and Service of a profile's gateway, where a Gateway or an Ingress selects it and
    the manifests bring no workload for it."""
    labels = {"app": name, "istio": name.removeprefix("istio-")}
    selecting = [value for value in objects if _selects(value, labels)]
    if not (selecting or (ingress and _matches(ingress, labels))) or any(
        _matches(labels, template) for value in objects for template in _pod_labels(value)
    ):
        return []
    ports = _ports(selecting)
    account = f"{name}-service-account"
    metadata = {"name": name, "namespace": ROOT_NAMESPACE, "labels": labels}
    container_ports = [
        {"containerPort": target, "protocol": "TCP"} for _, target, _ in _GATEWAY_PORTS
    ]
    template = {
        "metadata": {"labels": {**labels, INJECT: "true"}, "annotations": {TEMPLATES: "gateway"}},
        "spec": {
            "serviceAccountName": account,
            "containers": [{"name": "istio-proxy", "image": "auto", "ports": container_ports}],
        },
    }
    service_ports = [
        {"name": title, "port": port, "targetPort": target, "protocol": "TCP"}
        for port, target, title in ports
    ]
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": account, "namespace": ROOT_NAMESPACE},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"selector": labels, "ports": service_ports},
        },
    ]


def _selects(value: Object, labels: Mapping[str, str]) -> bool:
    if value.get("kind") != "Gateway" or not str(value.get("apiVersion", "")).startswith(
        "networking.istio.io/"
    ):
        return False
    selector = (value.get("spec") or {}).get("selector") or {}
    return bool(selector) and _matches(selector, labels)


def _matches(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    return all(labels.get(key) == wanted for key, wanted in selector.items())


def _pod_labels(value: Object) -> Iterable[Mapping[str, str]]:
    if value.get("kind") not in WORKLOAD_KINDS:
        return
    source = value if value["kind"] == "Pod" else (value.get("spec") or {}).get("template") or {}
    yield (source.get("metadata") or {}).get("labels") or {}


def _ports(gateways: Iterable[Object]) -> list[tuple[int, int, str]]:
    """(port, target port, name) of the gateway's Service: Istio's own, and what the Gateways ask
    for."""
    ports = {port: (port, target, name) for port, target, name in _GATEWAY_PORTS}
    for gateway in gateways:
        for server in (gateway.get("spec") or {}).get("servers") or ():
            number = (server.get("port") or {}).get("number")
            if isinstance(number, int) and number not in ports:
                protocol = str((server.get("port") or {}).get("protocol") or "TCP").lower()
                ports[number] = (number, number, f"{protocol}-{number}")
    return list(ports.values())
