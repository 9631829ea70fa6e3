"""Services, the pods behind them, and where connections to Service addresses go: what kube-proxy
works out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from varka.base.digits import number
from varka.resources.model import kubernetes
from varka.resources.model.base import decode


class RunningPod(Struct, frozen=True, eq=False):
    """What addresses depend on: a pod that has one."""

    name: str
    namespace: str
    ip: str
    labels: Mapping[str, str]
    spec: kubernetes.PodSpec
    ready: bool = False
    sidecar: bool = False

    def port(self, wanted: int | str) -> int:
        """The number of a target port; 0 when no container has a port of that name."""
        given = number(wanted) if isinstance(wanted, str) else wanted
        if given is not None:
            return given
        ports = (port for container in self.spec.containers for port in container.ports)
        return next((port.container_port for port in ports if port.name == wanted), 0)


class ServiceView(Struct, frozen=True, eq=False):
    """A Service object, decoded."""

    name: str
    namespace: str
    spec: kubernetes.ServiceSpec

    @property
    def host(self) -> str:
        return f"{self.name}.{self.namespace}.svc.cluster.local"

    @property
    def headless(self) -> bool:
        return self.spec.cluster_ip == "None"

    def selects(self, namespace: str, labels: Mapping[str, str]) -> bool:
        selector = self.spec.selector
        return (
            bool(selector)
            and namespace == self.namespace
            and all(labels.get(k) == v for k, v in selector.items())
        )


def view(value: Mapping[str, Any]) -> ServiceView:
    metadata = value["metadata"]
    spec = decode(value.get("spec") or {}, kubernetes.ServiceSpec)
    return ServiceView(str(metadata["name"]), str(metadata.get("namespace") or "default"), spec)


Backend = tuple[str, int]


class Forward(Struct, frozen=True):
    """One Service port and where its connections go."""

    address: str
    protocol: str
    port: int
    backends: tuple[Backend, ...]


def forwards(
    services: Iterable[ServiceView], pods: Sequence[RunningPod], slices: Mapping[str, Sequence[Any]]
) -> list[Forward]:
    """Every ClusterIP and port with its ready backends. `slices` has the EndpointSlices of Services
    without selector, by host."""
    return [
        Forward(
            service.spec.cluster_ip,
            port.protocol.lower(),
            port.port,
            _backends(service, port, pods, slices),
        )
        for service in services
        if service.spec.cluster_ip and not service.headless and service.spec.type != "ExternalName"
        for port in service.spec.ports
        if port.protocol in ("TCP", "UDP")
    ]


def _backends(
    service: ServiceView,
    port: kubernetes.ServicePort,
    pods: Sequence[RunningPod],
    slices: Mapping[str, Sequence[Any]],
) -> tuple[Backend, ...]:
    if not service.spec.selector:
        return tuple(_of_slices(slices.get(service.host, ()), port))
    wanted = port.target_port if port.target_port is not None else port.port
    ready = service.spec.publish_not_ready_addresses
    chosen = (
        pod for pod in pods if (pod.ready or ready) and service.selects(pod.namespace, pod.labels)
    )
    return tuple((pod.ip, pod.port(wanted)) for pod in chosen if pod.port(wanted))


def _of_slices(slices: Iterable[Any], port: kubernetes.ServicePort) -> Iterable[Backend]:
    for one in slices:
        numbers = [
            int(p["port"])
            for p in one.get("ports") or ()
            if p.get("name", "") in ("", port.name) and p.get("port")
        ]
        for endpoint in one.get("endpoints") or ():
            if (endpoint.get("conditions") or {}).get("ready", True):
                yield from (
                    (address, number)
                    for address in endpoint.get("addresses") or ()
                    for number in numbers
                )
