"""A small world of values, and the listeners that are compiled from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from envoy.config.listener.v3.listener_components_pb2 import FilterChain
from envoy.config.listener.v3.listener_pb2 import Listener
from google.protobuf import json_format
from google.protobuf.message import Message

from varka.base.memo import Memo
from varka.base.names import Hostname, Namespace, ObjectKey
from varka.envoy.build import Build, ListenerBuild
from varka.envoy.listeners.headless import headless_endpoints
from varka.envoy.listeners.outbound import outbound_layers
from varka.envoy.listeners.parts import ListenerParts
from varka.envoy.violations import violations
from varka.mesh.model import (
    EgressListener,
    MergedRule,
    MergedVirtualService,
    Scope,
    ScopedService,
    ServiceGroup,
)
from varka.mesh.telemetry import Telemetry, reachable
from varka.proxy.node import ProxyType
from varka.proxy.traits import Traits
from varka.registry.service import Endpoint, Protocol, Registry, Resolution, Service, ServicePort
from varka.resources.meshconfig import default_mesh_config, merge_mesh_config
from varka.resources.model import networking
from varka.resources.model.base import decode
from varka.resources.model.mesh import MeshConfig

NAMESPACE = Namespace("ns")


def service(name: str, *ports: tuple[int, Protocol], **more: Any) -> ScopedService:
    """A Kubernetes Service of namespace `ns` unless `more` says otherwise."""
    given: dict[str, Any] = {
        "hostname": Hostname(f"{name}.ns.svc.cluster.local"),
        "registry": Registry.KUBERNETES,
        "resolution": Resolution.CLIENT_SIDE,
        "addresses": (),
        "export_to": frozenset("*"),
        **more,
    }
    rule = given.pop("rule", None)
    found = tuple(
        ServicePort(f"port-{number}", number, protocol, number) for number, protocol in ports
    )
    made = Service(
        namespace=NAMESPACE,
        name=name,
        source=ObjectKey("", "Service", NAMESPACE, name),
        ports=found,
        **given,
    )
    return ScopedService(made, found, rule)


def external(host: str, *ports: tuple[int, Protocol], **more: Any) -> ScopedService:
    """A ServiceEntry's host."""
    given = {
        "hostname": Hostname(host),
        "registry": Registry.EXTERNAL,
        "resolution": Resolution.DNS,
        **more,
    }
    return service(host, *ports, **given)


def rule(host: str, policy: Mapping[str, Any], *subsets: Mapping[str, Any]) -> MergedRule:
    key = ObjectKey("networking.istio.io", "DestinationRule", NAMESPACE, "rule")
    decoded = tuple(decode(subset, networking.Subset) for subset in subsets)
    return MergedRule(
        Hostname(host), NAMESPACE, decode(policy, networking.TrafficPolicy), decoded, (key,)
    )


def virtual_service(name: str, spec: Mapping[str, Any]) -> MergedVirtualService:
    key = ObjectKey("networking.istio.io", "VirtualService", NAMESPACE, name)
    return MergedVirtualService(
        key, NAMESPACE, decode(spec, networking.VirtualService), "", frozenset("*"), (key,)
    )


def seen_of(telemetry: Telemetry, scope: Scope) -> Telemetry:
    """What a proxy with this scope uses of it."""
    return reachable(
        telemetry, frozenset(host for host in telemetry.hosts if scope.find(host) is None)
    )


@dataclass
class ListenerMesh:
    """What one kind of proxy sees."""

    services: tuple[ScopedService, ...] = ()
    virtual_services: tuple[MergedVirtualService, ...] = ()
    egress: tuple[Mapping[str, Any], ...] = ({},)
    pods: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Addresses of endpoints by service name."""
    scope: Mapping[str, Any] = field(default_factory=dict)
    traits: Mapping[str, Any] = field(default_factory=dict)
    mesh: Mapping[str, Any] = field(default_factory=dict)
    telemetry: Telemetry = Telemetry()
    memo: Memo = field(default_factory=Memo)

    def config(self) -> MeshConfig:
        return merge_mesh_config(self.mesh)[0] if self.mesh else default_mesh_config()

    def client(self) -> Traits:
        return Traits(**{"type": ProxyType.SIDECAR, **self.traits})

    def endpoints(self, found: Service, port: ServicePort) -> tuple[Endpoint, ...]:
        return tuple(Endpoint(address, port.number) for address in self.pods.get(found.name, ()))

    def seen(self) -> Scope:
        groups = (ServiceGroup(NAMESPACE, self.services),)
        given: dict[str, Any] = {
            "allow_any": True,
            "dynamic_dns": False,
            "egress_proxy": None,
            **self.scope,
        }
        return Scope(
            egress=tuple(self._egress(groups, **one) for one in self.egress),
            groups=groups,
            needs_locality=False,
            **given,
        )

    def _egress(self, groups: tuple[ServiceGroup, ...], **given: Any) -> EgressListener:
        port = given.get("port")
        return EgressListener(
            port=decode(port, networking.SidecarPort) if port else None,
            bind=given.get("bind", ""),
            capture=networking.CaptureMode(given.get("capture", "DEFAULT")),
            groups=groups,
            virtual_services=self.virtual_services,
        )

    def build(self) -> Build:
        return Build.of(self.memo, self.client(), self.config())

    def outbound(self, scope: Scope | None = None) -> ListenerParts:
        seen = scope or self.seen()
        base = self.build()
        groups = [group for egress in seen.egress for group in egress.groups]
        return outbound_layers(
            ListenerBuild.reporting(base, seen_of(self.telemetry, seen)),
            seen,
            NAMESPACE,
            headless_endpoints(base, groups, self.endpoints),
        )

    def listeners(self) -> dict[str, Listener]:
        return messages(self.outbound())


def messages(parts: ListenerParts) -> dict[str, Listener]:
    """The listeners by name, after a look at Envoy's own rules for them."""
    found: dict[str, Listener] = {}
    for layer in parts.layers:
        for name, resource in layer.resources.items():
            assert name not in found
            found[name] = Listener.FromString(resource.body)
            assert violations(found[name]) == []
    return found


def plain(message: Message) -> dict[str, Any]:
    shown: dict[str, Any] = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return shown


def clusters_of(chains: Iterable[FilterChain]) -> list[str]:
    """Where TCP chains send; "http <route>" for HTTP ones."""
    return [_target(plain(chain)["filters"][-1]["typed_config"]) for chain in chains]


def _target(config: dict[str, Any]) -> str:
    if "rds" in config:
        return f"http {config['rds']['route_config_name']}"
    if "route_config" in config:
        return f"http {config['route_config']['name']}"
    weighted = config.get("weighted_clusters", {}).get("clusters", [])
    return config.get("cluster") or " ".join(f"{c['name']}={c['weight']}" for c in weighted)


@pytest.fixture
def world() -> ListenerMesh:
    return ListenerMesh()
