"""A mesh in a few lines of YAML, as the values that route configurations are made of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from envoy.config.route.v3.route_components_pb2 import Route
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from msgspec import Struct
from msgspec.structs import replace

from varka.base.memo import Memo
from varka.base.names import Hostname, Namespace, ObjectKey
from varka.envoy.build import Build
from varka.envoy.resource import Form
from varka.envoy.routes.gateway import gateway_route
from varka.envoy.routes.sidecar import RouteParts, sidecar_route
from varka.mesh.model import (
    EgressListener,
    GatewayPort,
    GatewayServer,
    MergedGateway,
    MergedRule,
    MergedVirtualService,
    Scope,
    ScopedService,
    ServiceGroup,
)
from varka.proxy.node import ProxyType
from varka.proxy.traits import Traits
from varka.registry.service import Protocol, Registry, Resolution, Service, ServicePort
from varka.resources.model import mesh, networking
from varka.resources.model.base import decode

ISTIO = "networking.istio.io"


class RoutedMesh(Struct, frozen=True):
    """What a test may look at and change before it asks for routes again."""

    memo: Memo
    scope: Scope
    namespace: Namespace
    traits: Traits
    config: mesh.MeshConfig
    gateway: MergedGateway

    def build(self) -> Build:
        return Build.of(self.memo, self.traits, self.config)

    def sidecar(self, name: str, form: Form | None = None) -> RouteParts:
        return sidecar_route(self.build(), self.scope, self.namespace, name, form)

    def routes(self, name: str) -> RouteConfiguration:
        return RouteConfiguration.FromString(self.sidecar(name, Form.WHOLE).route.body)

    def gateway_routes(self, name: str) -> RouteConfiguration:
        resource = gateway_route(self.build(), self.gateway, self.scope, self.namespace, name)
        return RouteConfiguration.FromString(resource.body)

    def with_rules(self, *specs: Mapping[str, Any]) -> RoutedMesh:
        listener = replace(
            self.scope.egress[0], virtual_services=tuple(virtual_service(spec) for spec in specs)
        )
        return replace(self, scope=replace(self.scope, egress=(listener,)))


def domains_of(configuration: RouteConfiguration) -> dict[str, list[str]]:
    """Virtual host name -> domains."""
    return {host.name: list(host.domains) for host in configuration.virtual_hosts}


def virtual_service(value: Mapping[str, Any]) -> MergedVirtualService:
    namespace = Namespace(value.get("namespace", "default"))
    key = ObjectKey(
        value.get("group", ISTIO),
        value.get("kind", "VirtualService"),
        namespace,
        value.get("name", "rule"),
    )
    spec = decode(value["spec"], networking.VirtualService)
    labels = frozenset(
        name for route in spec.http for match in route.match for name in match.source_labels
    )
    visible = frozenset(value.get("exportTo", "*"))
    return MergedVirtualService(
        key, namespace, spec, "", visible, (key,), labels, value.get("semantics", "")
    )


def service(value: Mapping[str, Any]) -> ScopedService:
    host = Hostname(value["host"])
    name, _, rest = host.partition(".")
    namespace = Namespace(value.get("namespace", rest.split(".")[0]))
    ports = tuple(
        ServicePort(f"p{n}", int(n), Protocol(p))
        for n, p in value.get("ports", {80: "HTTP"}).items()
    )
    found = Service(
        hostname=host,
        namespace=namespace,
        name=name,
        source=ObjectKey("", "Service", namespace, name),
        registry=Registry(value.get("registry", "Kubernetes")),
        ports=ports,
        resolution=Resolution(value.get("resolution", "ClientSideLB")),
        addresses=tuple(value.get("addresses", ())),
        auto_addresses=tuple(value.get("autoAddresses", ())),
        external_name=value.get("externalName", ""),
        aliases=tuple((Namespace(ns), Hostname(alias)) for ns, alias in value.get("aliases", ())),
    )
    return ScopedService(
        found, ports, destination_rule(host, namespace, value["rule"]) if "rule" in value else None
    )


def destination_rule(host: Hostname, namespace: Namespace, spec: Mapping[str, Any]) -> MergedRule:
    rule = decode(spec, networking.DestinationRule)
    key = ObjectKey(ISTIO, "DestinationRule", namespace, "rule")
    return MergedRule(host, namespace, rule.traffic_policy, rule.subsets, (key,))


def groups(values: list[Mapping[str, Any]]) -> tuple[ServiceGroup, ...]:
    found: dict[Namespace, list[ScopedService]] = {}
    for value in values:
        entry = service(value)
        found.setdefault(entry.service.namespace, []).append(entry)
    return tuple(ServiceGroup(namespace, tuple(entries)) for namespace, entries in found.items())


def server(value: Mapping[str, Any]) -> GatewayServer:
    namespace, name = value.get("gateway", "default/gateway").split("/")
    spec = decode(value["spec"], networking.Server)
    parts = [("*/" + host).split("/")[-2:] for host in spec.hosts]
    named = tuple((namespace, host) for namespace, host in parts)
    key = ObjectKey(ISTIO, "Gateway", Namespace(namespace), name)
    return GatewayServer(key, spec, named, value["route"])


def mesh_of(value: Mapping[str, Any]) -> RoutedMesh:
    namespace = Namespace(value.get("namespace", "default"))
    services = groups(value.get("services", []))
    rules = tuple(virtual_service(spec) for spec in value.get("virtualServices", []))
    egress = value.get("egress")
    listener = EgressListener(
        port=decode(egress["port"], networking.SidecarPort) if egress else None,
        bind=egress.get("bind", "") if egress else "",
        capture=networking.CaptureMode.DEFAULT,
        groups=services,
        virtual_services=rules,
    )
    scope = Scope(
        egress=(listener,),
        groups=services,
        allow_any=value.get("mode", "ALLOW_ANY") == "ALLOW_ANY",
        dynamic_dns=value.get("mode") == "ALLOW_ANY_DYNAMIC_DNS",
        egress_proxy=decode(value["egressProxy"], networking.Destination)
        if "egressProxy" in value
        else None,
        needs_locality=False,
    )
    traits = Traits(
        type=ProxyType.SIDECAR,
        labels=tuple(sorted(value.get("labels", {}).items())),
        dns_capture=value.get("dnsCapture", False),
        dns_domain=value.get("dnsDomain", "*.svc.cluster.local"),
    )
    servers = tuple(server(one) for one in value.get("servers", []))
    gateway = MergedGateway((GatewayPort(80, "", "HTTP", servers),), rules)
    return RoutedMesh(
        Memo(), scope, namespace, traits, decode(value.get("mesh", {}), mesh.MeshConfig), gateway
    )


def one_route(rule: Mapping[str, Any], **fields: Any) -> Route:
    """The first route of a VirtualService with these fields in its only `http` rule, in a mesh of
    these fields."""
    rule = (
        rule
        if rule.keys() & {"redirect", "directResponse", "route"}
        else {"route": [{"destination": {"host": "b"}}], **rule}
    )
    spec = {"hosts": ["example.com"], "http": [rule]}
    [route] = next(
        host.routes
        for host in mesh_of({"virtualServices": [{"spec": spec}], **fields})
        .routes("80")
        .virtual_hosts
        if host.name == "example.com:80"
    )
    return route


def cases() -> list[Path]:
    return sorted(Path(__file__).parent.glob("*.in.yaml"))


@pytest.fixture(params=cases(), ids=lambda path: path.name.removesuffix(".in.yaml"))
def case(request: pytest.FixtureRequest) -> tuple[str, Mapping[str, Any]]:
    """(name, document) of each `*.in.yaml` beside this file."""
    return request.param.name.removesuffix(".in.yaml"), yaml.safe_load(request.param.read_text())
