"""What names mean inside the mesh: Kubernetes' DNS for Services and pods, hosts of ServiceEntries.
A value without IO."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from varka.local.network.addresses import HOST_ADDRESS
from varka.local.workload.services import RunningPod, ServiceView
from varka.registry import allocation

DOMAIN = "cluster.local"
HOST_NAME = "host.varka.internal"


class Answer(Struct, frozen=True):
    """`addresses` of the name, or the name that `alias` stands for. Neither: the name exists and
    has no IPv4 address."""

    addresses: tuple[str, ...] = ()
    alias: str = ""


class Names(Struct, frozen=True, eq=False):
    """`cluster` holds for every pod; `entries` (ServiceEntry hosts) only where a sidecar knows what
    to do with the address."""

    cluster: Mapping[str, Answer] = field(default_factory=dict)
    entries: Mapping[str, Answer] = field(default_factory=dict)

    def lookup(self, name: str, *, sidecar: bool) -> Answer | None:
        """The answer for a name (lower case, no final dot); None when it is not ours to answer."""
        answer = self.cluster.get(name)
        if answer is None and sidecar:
            answer = self.entries.get(name) or self._wildcard(name)
        return answer

    def _wildcard(self, name: str) -> Answer | None:
        labels = name.split(".")
        for start in range(1, len(labels)):
            answer = self.entries.get("*." + ".".join(labels[start:]))
            if answer is not None:
                return answer
        return None


def is_ours(name: str) -> bool:
    """No other server may be asked about it: what we don't know does not exist."""
    return name == DOMAIN or name.endswith((f".{DOMAIN}", ".varka.internal"))


def build(
    services: Iterable[ServiceView],
    pods: Sequence[RunningPod],
    entries: Iterable[Mapping[str, Any]],
) -> Names:
    """All names of one moment. `entries` are ServiceEntry objects, oldest first."""
    cluster = {HOST_NAME: Answer((HOST_ADDRESS,))}
    for service in services:
        cluster.update(_of_service(service, pods))
    return Names(cluster, _of_entries(entries))


def _of_service(service: ServiceView, pods: Sequence[RunningPod]) -> dict[str, Answer]:
    spec = service.spec
    if spec.type == "ExternalName":
        return {service.host: Answer(alias=spec.external_name.rstrip(".").lower())}
    if not service.headless:
        return {service.host: Answer((spec.cluster_ip,) if spec.cluster_ip else ())}
    selected = [pod for pod in pods if service.selects(pod.namespace, pod.labels)]
    visible = [pod for pod in selected if pod.ready or spec.publish_not_ready_addresses]
    own = {
        f"{pod.spec.hostname or pod.name}.{service.host}": Answer((pod.ip,))
        for pod in visible
        if pod.spec.subdomain == service.name
    }
    return {service.host: Answer(tuple(pod.ip for pod in visible)), **own}


def _of_entries(entries: Iterable[Mapping[str, Any]]) -> dict[str, Answer]:
    """A host has the entry's addresses, else one made up for it as Istio does, unless only the
    original destination (resolution NONE) can tell where to go."""
    answers: dict[str, Answer] = {}
    unplaced: list[tuple[str, str]] = []
    for entry in entries:
        spec, metadata = entry.get("spec") or {}, entry["metadata"]
        namespace = str(metadata.get("namespace") or "default")
        declared = [
            str(address)
            for address in spec.get("addresses") or ()
            if "/" not in str(address) and ":" not in str(address)
        ]
        for host in spec.get("hosts") or ():
            name = str(host).lower()
            if declared:
                answers.setdefault(name, Answer(tuple(declared)))
            elif spec.get("resolution", "NONE") not in ("NONE", "") and not name.startswith("*"):
                unplaced.append((f"{namespace}/{name}", name))
    derived = allocation.derive(key for key, _ in unplaced)
    for key, name in unplaced:
        if key in derived:
            answers.setdefault(name, Answer((derived[key][0],)))
    return answers
