"""Services from Kubernetes Services."""

from __future__ import annotations

from collections.abc import Mapping

from varka.base.names import Hostname, Namespace
from varka.registry import protocol, visibility
from varka.registry.service import Registry, Resolution, Service, ServicePort
from varka.resources.model import kubernetes
from varka.resources.resource import Resource

EXPORT_TO = "networking.istio.io/exportTo"
TRAFFIC_DISTRIBUTION = "networking.istio.io/traffic-distribution"
PERSISTENT_SESSION = "istio.io/persistent-session"
_ACCOUNTS = "alpha.istio.io/kubernetes-serviceaccounts"
_CANONICAL_ACCOUNTS = "alpha.istio.io/canonical-serviceaccounts"
_DISTRIBUTIONS = {
    "preferclose": "PreferSameZone",
    "prefersamezone": "PreferSameZone",
    "prefersamenode": "PreferSameNode",
}


def hostname(name: str, namespace: str, domain: str) -> Hostname:
    return Hostname(f"{name}.{namespace}.svc.{domain}")


def service(
    resource: Resource[kubernetes.Service],
    default_export: tuple[str, ...],
    namespace_distribution: str,
    domain: str,
    trust: str,
) -> Service:
    """The service of a Kubernetes Service; `namespace_distribution` is its namespace's
    annotation."""
    spec = resource.spec.spec
    namespace = Namespace(resource.namespace)
    alias = spec.type == "ExternalName" and bool(spec.external_name)
    headless = spec.cluster_ip == "None"
    exported = [
        name.strip() for name in resource.annotations.get(EXPORT_TO, "").split(",") if name.strip()
    ]
    return Service(
        hostname=hostname(resource.name, namespace, domain),
        namespace=namespace,
        name=resource.name,
        source=resource.key,
        registry=Registry.KUBERNETES,
        ports=tuple(_port(port) for port in spec.ports),
        resolution=Resolution.PASSTHROUGH
        if headless
        else Resolution.ALIAS
        if alias
        else Resolution.CLIENT_SIDE,
        addresses=() if headless else _addresses(spec),
        mesh_external=alias,
        export_to=visibility.export_to(exported, namespace, default_export),
        labels=resource.labels,
        selector=spec.selector,
        subject_alt_names=_subject_alt_names(resource.annotations, namespace, trust),
        created=resource.created,
        external_name=spec.external_name if alias else "",
        publish_not_ready=spec.publish_not_ready_addresses,
        traffic_distribution=traffic_distribution(
            spec.traffic_distribution, resource.annotations, namespace_distribution
        ),
        headless=headless,
        node_local=spec.internal_traffic_policy == "Local",
        sticky=bool(resource.labels.get(PERSISTENT_SESSION)),
    )


def traffic_distribution(declared: str, annotations: Mapping[str, str], of_namespace: str) -> str:
    """PreferSameZone, PreferSameNode or "": the field, else the annotation, else the namespace's
    annotation."""
    if declared.lower() in _DISTRIBUTIONS:
        return _DISTRIBUTIONS[declared.lower()]
    return _DISTRIBUTIONS.get((annotations.get(TRAFFIC_DISTRIBUTION) or of_namespace).lower(), "")


def _port(port: kubernetes.ServicePort) -> ServicePort:
    chosen = protocol.of_service_port(
        port.port, port.name, port.protocol, port.app_protocol or None
    )
    return ServicePort(port.name, port.port, chosen, port.target_port or port.port)


def _addresses(spec: kubernetes.ServiceSpec) -> tuple[str, ...]:
    if len(spec.cluster_ips) > 1:
        return tuple(spec.cluster_ips)
    return (spec.cluster_ip,) if spec.cluster_ip else tuple(spec.cluster_ips)


def _subject_alt_names(
    annotations: Mapping[str, str], namespace: Namespace, trust: str
) -> tuple[str, ...]:
    canonical = [name for name in annotations.get(_CANONICAL_ACCOUNTS, "").split(",") if name]
    accounts = [name for name in annotations.get(_ACCOUNTS, "").split(",") if name]
    return (*canonical, *(f"spiffe://{trust}/ns/{namespace}/sa/{account}" for account in accounts))
