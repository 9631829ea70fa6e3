from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.mesh.conftest import ChangingMesh, proxy_of, resource

from varka.base.names import Hostname
from varka.mesh.model import Scope
from varka.resources.model.mesh import (
    LabelSelector,
    OutboundTrafficPolicy,
    OutboundTrafficPolicyMode,
)


def hosts(scope: Scope) -> list[str]:
    return sorted(scope.index)


def service(name: str, namespace: str = "default", export: str = "", ports: str = "80, 90") -> str:
    listed = ", ".join(f"{{name: http-{p.strip()}, port: {p.strip()}}}" for p in ports.split(","))
    note = f", annotations: {{networking.istio.io/exportTo: '{export}'}}" if export else ""
    return resource("Service", name, f"{{ports: [{listed}]}}", namespace, note)


def entry(name: str, host: str, namespace: str, extra: str = "") -> str:
    spec = (
        f"{{hosts: [{host}], resolution: DNS, ports: [{{number: 80, name: http, protocol:"
        f" HTTP}}]{extra}}}"
    )
    return resource("ServiceEntry", name, spec, namespace)


A, B, C = (Hostname(f"{n}.svc.cluster.local") for n in ("a.default", "b.other", "c.third"))


@pytest.fixture
def three() -> tuple[str, ...]:
    return service("a"), service("b", "other"), service("c", "third", ".")


def test_a_namespace_sees_what_is_exported_to_it(
    world: ChangingMesh, three: tuple[str, ...]
) -> None:
    snapshot = world.apply(*three)
    assert hosts(snapshot.scope(proxy_of("default"))) == [A, B]
    assert hosts(snapshot.scope(proxy_of("third"))) == [A, B, C]


def test_scopes_share_the_groups_that_are_the_same_for_them(
    world: ChangingMesh, three: tuple[str, ...]
) -> None:
    snapshot = world.apply(*three)
    one, two = snapshot.scope(proxy_of("default")), snapshot.scope(proxy_of("other"))
    assert one is two
    assert all(x is y for x, y in zip(one.groups, two.groups, strict=True))
    assert snapshot.scope(proxy_of("default", some="label")) is one


def test_a_router_has_no_listener_of_its_own(world: ChangingMesh, three: tuple[str, ...]) -> None:
    scope = world.apply(*three).scope(proxy_of("default", type="router"))
    assert (hosts(scope), scope.egress) == ([A, B], ())


@pytest.mark.parametrize(
    ("imported", "expected"),
    [
        ("['./*']", [A]),
        ("['other/*']", [B]),
        ("['*/*']", [A, B]),
        ("['other/b.other.svc.cluster.local']", [B]),
        ("['other/a.default.svc.cluster.local']", []),
        ("['*/*.other.svc.cluster.local']", [B]),
        ("['*/*', '~other/*']", [A]),
        ("['~/*']", []),
    ],
)
def test_a_sidecar_imports_hosts(
    world: ChangingMesh, three: tuple[str, ...], imported: str, expected: list[str]
) -> None:
    sidecar = resource("Sidecar", "default", f"{{egress: [{{hosts: {imported}}}]}}")
    assert hosts(world.apply(*three, sidecar).scope(proxy_of())) == expected


def test_the_most_specific_sidecar_wins(world: ChangingMesh, three: tuple[str, ...]) -> None:
    root = resource("Sidecar", "root", "{egress: [{hosts: ['other/*']}]}", "istio-system")
    own = resource("Sidecar", "own", "{egress: [{hosts: ['./*']}]}")
    chosen = resource(
        "Sidecar", "chosen", "{workloadSelector: {labels: {app: x}}, egress: [{hosts: ['~/*']}]}"
    )
    assert hosts(world.apply(*three, root).scope(proxy_of())) == [B]
    snapshot = world.apply(own, chosen)
    assert hosts(snapshot.scope(proxy_of())) == [A]
    assert hosts(snapshot.scope(proxy_of(app="x"))) == []
    assert hosts(snapshot.scope(proxy_of("other"))) == [B]


def test_a_listener_on_a_port_has_only_that_port_of_services(
    world: ChangingMesh, three: tuple[str, ...]
) -> None:
    egress = (
        "{port: {number: 90, protocol: HTTP, name: x}, bind: 127.0.0.1, hosts: ['./*']}, {hosts:"
        " ['other/*']}"
    )
    scope = world.apply(*three, resource("Sidecar", "default", f"{{egress: [{egress}]}}")).scope(
        proxy_of()
    )
    assert [
        [e.service.hostname for g in listener.groups for e in g.services]
        for listener in scope.egress
    ] == [[A], [B]]
    assert [p.number for p in scope.index[A].ports] == [90]
    assert [p.number for p in scope.index[B].ports] == [80, 90]


def test_what_rules_route_to_is_in_scope_too(world: ChangingMesh, three: tuple[str, ...]) -> None:
    sidecar = resource("Sidecar", "default", "{egress: [{hosts: ['./*']}]}")
    destination = "{host: b.other.svc.cluster.local, port: {number: 90}}"
    rule = resource(
        "VirtualService",
        "v",
        f"{{hosts: [a], http: [{{route: [{{destination: {destination}}}]}}]}}",
    )
    scope = world.apply(*three, sidecar, rule).scope(proxy_of())
    assert hosts(scope) == [A, B]
    assert [p.number for p in scope.index[B].ports] == [90]
    assert [g.namespace for g in scope.egress[0].groups] == ["default"]


def test_of_one_name_in_many_namespaces_the_own_wins(world: ChangingMesh) -> None:
    snapshot = world.apply(entry("e", "x.com", "one"), entry("e", "x.com", "two"))
    assert snapshot.scope(proxy_of("two")).index[Hostname("x.com")].service.namespace == "two"
    assert snapshot.scope(proxy_of("three")).index[Hostname("x.com")].service.namespace == "one"


def test_a_kubernetes_service_wins_over_a_service_entry_of_its_name(world: ChangingMesh) -> None:
    younger = service("a").replace(
        "namespace: default", "namespace: default, creationTimestamp: '2020-01-01T00:00:00Z'"
    )
    snapshot = world.apply(entry("e", A, "attacker"), younger)
    assert snapshot.scope(proxy_of("other")).index[A].service.namespace == "default"


@pytest.mark.parametrize(
    ("mode", "expected"), [("ALLOW_ANY", (True, False)), ("REGISTRY_ONLY", (False, False))]
)
def test_the_sidecars_policy_for_unknown_hosts(
    world: ChangingMesh, mode: str, expected: tuple[bool, bool]
) -> None:
    scope = world.apply(
        resource("Sidecar", "default", f"{{outboundTrafficPolicy: {{mode: {mode}}}}}")
    ).scope(proxy_of())
    assert (scope.allow_any, scope.dynamic_dns) == expected


def test_the_meshs_policy_for_unknown_hosts(world: ChangingMesh) -> None:
    world.configure(
        outbound_traffic_policy=OutboundTrafficPolicy(
            mode=OutboundTrafficPolicyMode.ALLOW_ANY_DYNAMIC_DNS
        )
    )
    scope = world.apply().scope(proxy_of())
    assert (scope.allow_any, scope.dynamic_dns) == (True, True)


def test_labels_and_locality_that_matter(world: ChangingMesh) -> None:
    policy = (
        "{outlierDetection: {}, loadBalancer: {localityLbSetting: {failoverPriority: [rack,"
        " 'tier=1']}}}"
    )
    rule = resource("DestinationRule", "d", f"{{host: a, trafficPolicy: {policy}}}")
    source = "{match: [{sourceLabels: {app: x}}], route: [{destination: {host: a}}]}"
    scope = world.apply(
        service("a"), rule, resource("VirtualService", "v", f"{{hosts: [a], http: [{source}]}}")
    ).scope(proxy_of())
    assert scope.needs_locality
    assert scope.label_keys == {"app", "rack", "tier"}
    assert (
        not world.apply(resource("DestinationRule", "d", "{host: a, trafficPolicy: {tls: {}}}"))
        .scope(proxy_of())
        .needs_locality
    )


def test_namespaces_that_are_not_discovered_are_not_there(
    world: ChangingMesh, three: tuple[str, ...]
) -> None:
    namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: default, labels: {mesh: 'on'}}\n"
    world.configure(discovery_selectors=(LabelSelector(matchLabels={"mesh": "on"}),))
    assert hosts(world.apply(*three, namespace).scope(proxy_of())) == [A]


def test_a_router_may_get_only_what_its_rules_route_to(
    world: ChangingMesh, three: tuple[str, ...]
) -> None:
    world.settings = replace(world.settings, pilot_filter_gateway_cluster_config=True)
    server = "{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}"
    gateway = resource("Gateway", "gw", f"{{selector: {{istio: gw}}, servers: [{server}]}}")
    route = "{route: [{destination: {host: b.other.svc.cluster.local}}]}"
    rule = resource("VirtualService", "v", f"{{hosts: ['*'], gateways: [gw], http: [{route}]}}")
    snapshot = world.apply(*three, gateway, rule)
    assert hosts(snapshot.scope(proxy_of(type="router", istio="gw"))) == [B]
    assert hosts(snapshot.scope(proxy_of(type="router"))) == []
    assert hosts(snapshot.scope(proxy_of())) == [A, B]
