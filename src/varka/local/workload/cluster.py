"""The objects that the runtime acts on, sorted by what they are for."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from msgspec import Struct, field

from varka.inject.decision import TEMPLATES, Candidate, Decision, decide
from varka.local.workload import services, workloads
from varka.local.workload.containers import Surroundings
from varka.local.workload.proxysettings import PLAIN, Configs, ProxySettings
from varka.local.workload.services import ServiceView
from varka.local.workload.workloads import PodPlan
from varka.resources.operator import MESH_CONFIG

Object = Mapping[str, Any]

KINDS = (
    *sorted(workloads.WORKLOAD_KINDS),
    "ConfigMap",
    "EndpointSlice",
    "Endpoints",
    "IstioOperator",
    "Namespace",
    "ProxyConfig",
    "Secret",
    "Service",
    "ServiceEntry",
)
"""The kinds that matter here; all others are the control plane's alone."""


class ProxyPlan(Struct, frozen=True):
    """The proxy of a pod as it should be; with another plan it is another proxy."""

    kind: str
    """`sidecar`, `router` (a gateway: the template `gateway`) or `none`."""
    settings: ProxySettings = PLAIN


class Cluster(Struct, frozen=True, eq=False):
    """One moment of the manifests."""

    plans: Mapping[str, PodPlan] = field(default_factory=dict)
    services: Sequence[ServiceView] = ()
    slices: Mapping[str, Sequence[Object]] = field(default_factory=dict)
    entries: Sequence[Object] = ()
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Labels by name."""
    around: Surroundings = Surroundings()
    configs: Configs = field(default_factory=Configs)
    problems: Mapping[str, str] = field(default_factory=dict)
    """Objects (`Kind name.namespace`) that the runtime can't use, and why; the others are used."""

    def injection(self, pod: PodPlan) -> Decision:
        labels = self.namespaces.get(pod.namespace, {})
        return decide(
            Candidate(pod.namespace, labels, pod.labels, pod.annotations, pod.spec.host_network)
        )

    def proxy(self, pod: PodPlan) -> ProxyPlan:
        if not self.injection(pod).inject:
            return ProxyPlan("none")
        kind = "router" if "gateway" in pod.annotations.get(TEMPLATES, "").split(",") else "sidecar"
        return ProxyPlan(kind, self.configs.settings(pod.namespace, pod.labels, pod.annotations))


def sort(objects: Iterable[Object], machine: Mapping[str, str]) -> Cluster:
    """`machine` are the variables that every program inherits. An object that can't be read is left
    out, with its problem."""
    by_kind: dict[str, list[Object]] = {}
    for value in objects:
        by_kind.setdefault(str(value.get("kind")), []).append(value)
    reading = _Reading()
    plans = [
        pod
        for value in _all(by_kind, *sorted(workloads.WORKLOAD_KINDS))
        for pod in reading.read(value, workloads.pods_of) or ()
    ]
    data = {
        (str(value["kind"]), _namespace(value), str(value["metadata"]["name"])): texts
        for value in _all(by_kind, "ConfigMap", "Secret")
        if (texts := reading.read(value, _data)) is not None
    }
    views = (reading.read(value, services.view) for value in by_kind.get("Service", ()))
    slices: dict[str, list[Object]] = {}
    for value in _all(by_kind, "EndpointSlice", "Endpoints"):
        for host, one in reading.read(value, _slices) or ():
            slices.setdefault(host, []).append(one)
    return Cluster(
        plans={pod.key: pod for pod in plans},
        services=[view for view in views if view is not None],
        slices=slices,
        entries=sorted(by_kind.get("ServiceEntry", ()), key=_age),
        namespaces={
            str(v["metadata"]["name"]): v["metadata"].get("labels") or {}
            for v in by_kind.get("Namespace", ())
        },
        around=Surroundings(machine, data),
        configs=Configs(
            (*_mesh_configs(by_kind), *by_kind.get("IstioOperator", ())),
            tuple(by_kind.get("ProxyConfig", ())),
        ),
        problems=reading.problems,
    )


T = TypeVar("T")


class _Reading:
    """Reads objects one by one: what is wrong with one does not keep the others from being read."""

    def __init__(self) -> None:
        self.problems: dict[str, str] = {}

    def read(self, value: Object, function: Callable[[Object], T]) -> T | None:
        try:
            return function(value)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            name = f"{value['metadata']['name']}.{_namespace(value)}"
            self.problems[f"{value['kind']} {name}"] = f"it can't be used: {error}"
            return None


def _mesh_configs(by_kind: Mapping[str, Sequence[Object]]) -> list[Object]:
    wanted = (MESH_CONFIG.namespace, MESH_CONFIG.name)
    return [
        value
        for value in by_kind.get("ConfigMap", ())
        if (_namespace(value), value["metadata"]["name"]) == wanted
    ]


def _all(by_kind: Mapping[str, Sequence[Object]], *kinds: str) -> list[Object]:
    return [value for kind in kinds for value in by_kind.get(kind, ())]


def _namespace(value: Object) -> str:
    return str(value["metadata"].get("namespace") or "default")


def _age(value: Object) -> tuple[str, str, str]:
    return (
        str(value["metadata"].get("creationTimestamp") or ""),
        str(value["metadata"]["name"]),
        _namespace(value),
    )


def _data(value: Object) -> dict[str, str]:
    plain = {str(key): str(text) for key, text in (value.get("data") or {}).items()}
    if value["kind"] == "Secret":
        plain = {
            key: base64.b64decode(text).decode(errors="replace") for key, text in plain.items()
        }
        plain |= {str(key): str(text) for key, text in (value.get("stringData") or {}).items()}
    return plain


def _slices(value: Object) -> list[tuple[str, Object]]:
    """An EndpointSlice, or Endpoints in the shape of slices, each with the host of its Service.
    Raises ValueError for ports that are none."""
    for part in (value, *(value.get("subsets") or ())):
        for port in part.get("ports") or ():
            int(port.get("port") or 0)
    if value["kind"] == "EndpointSlice":
        service = (value["metadata"].get("labels") or {}).get("kubernetes.io/service-name", "")
        return [(f"{service}.{_namespace(value)}.svc.cluster.local", value)]
    host = f"{value['metadata']['name']}.{_namespace(value)}.svc.cluster.local"
    return [
        (
            host,
            {
                "endpoints": [{"addresses": [one["ip"]]} for one in subset.get("addresses") or ()],
                "ports": subset.get("ports") or (),
            },
        )
        for subset in value.get("subsets") or ()
    ]
