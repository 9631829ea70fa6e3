from __future__ import annotations

import pytest
from tests.mesh.conftest import ChangingMesh, proxy_of, resource
from tests.present import present

from varka.base.names import Namespace
from varka.mesh.model import MergedVirtualService
from varka.mesh.virtualservices import resolved_gateway

FULL = "svc.cluster.local"


def spec_of(world: ChangingMesh, *texts: str, client: str = "default") -> MergedVirtualService:
    (found,) = world.apply(*texts).scope(proxy_of(client)).egress[0].virtual_services
    return found


def test_short_names_are_services_of_the_rules_own_namespace(world: ChangingMesh) -> None:
    http = "{match: [{gateways: [mesh, gw]}], mirror: {host: m}, route: [{destination: {host: a}}]}"
    http += ", {mirrors: [{destination: {host: o}}], route: [{destination: {host: a}}]}"
    tls = "{match: [{sniHosts: [a.com], port: 443}], route: [{destination: {host: t}}]}"
    tcp = "{route: [{destination: {host: c.other}}]}"
    rules = f"http: [{http}], tls: [{tls}], tcp: [{tcp}]"
    text = resource(
        "VirtualService", "v", f"{{hosts: [a, a.com], gateways: [mesh, gw], {rules}}}", "ns"
    )
    spec = spec_of(world, text).spec
    assert spec.hosts == (f"a.ns.{FULL}", "a.com")
    assert spec.gateways == ("mesh", "ns/gw")
    assert spec.http[0].match[0].gateways == ("mesh", "ns/gw")
    assert present(spec.http[0].route[0].destination).host == f"a.ns.{FULL}"
    assert present(spec.http[0].mirror).host == f"m.ns.{FULL}"
    assert present(spec.http[1].mirrors[0].destination).host == f"o.ns.{FULL}"
    assert present(spec.tls[0].route[0].destination).host == f"t.ns.{FULL}"
    assert present(spec.tcp[0].route[0].destination).host == "c.other"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mesh", "mesh"),
        ("gw", "ns/gw"),
        ("./gw", "ns/gw"),
        ("other/gw", "other/gw"),
        ("gw.other.svc.cluster.local", "other/gw"),
        ("gw.other", "other/gw"),
    ],
)
def test_names_of_gateways(name: str, expected: str) -> None:
    assert resolved_gateway(name, Namespace("ns")) == expected


def simple(
    name: str, namespace: str = "default", host: str = "x.com", more: str = "", created: str = ""
) -> str:
    stamp = f", creationTimestamp: '{created}'" if created else ""
    http = "http: [{route: [{destination: {host: a}}]}]"
    return resource("VirtualService", name, f"{{hosts: [{host}]{more}, {http}}}", namespace, stamp)


def names(world: ChangingMesh, client: str, *texts: str) -> list[str]:
    return [
        v.key.name for v in world.apply(*texts).scope(proxy_of(client)).egress[0].virtual_services
    ]


def test_who_sees_a_rule(world: ChangingMesh) -> None:
    texts = (
        simple("public", "ns"),
        simple("private", "ns", more=", exportTo: ['.']"),
        simple("given", "ns", more=", exportTo: [client]"),
        simple("edge", "ns", more=", gateways: [gw]"),
    )
    assert names(world, "ns", *texts) == ["private", "public"]
    assert names(world, "client") == ["given", "public"]
    assert names(world, "other") == ["public"]


def test_a_namespaces_own_rules_come_before_those_given_to_it(world: ChangingMesh) -> None:
    given = simple("a-given", "other", more=", exportTo: [ns]")
    assert names(world, "ns", given, simple("z-own", "ns", more=", exportTo: ['.']")) == [
        "z-own",
        "a-given",
    ]


def test_the_meshs_default_export(world: ChangingMesh) -> None:
    world.configure(default_virtual_service_export_to=(".",))
    assert names(world, "client", simple("v", "ns")) == []
    assert names(world, "ns") == ["v"]


def test_older_rules_come_first(world: ChangingMesh) -> None:
    new, old = "2020-01-02T00:00:00Z", "2020-01-01T00:00:00Z"
    texts = (
        simple("a", created=new),
        simple("b", created=old),
        simple("c", created=new),
    )
    assert names(world, "default", *texts) == ["b", "a", "c"]


def test_a_sidecar_imports_rules_by_their_hosts(world: ChangingMesh) -> None:
    sidecar = resource("Sidecar", "default", "{egress: [{hosts: ['*/x.com']}]}")
    wild = simple("wild", host="'*.com'")
    assert names(world, "default", sidecar, simple("v"), simple("w", host="y.org"), wild) == [
        "v",
        "wild",
    ]


NOTE = ", annotations: {internal.istio.io/route-semantics: gateway}}"


def test_a_namespaces_own_gateway_api_routes_come_before_those_of_others(
    world: ChangingMesh,
) -> None:
    one, two = (simple(name, name[2:]).replace("}", NOTE, 1) for name in ("a-one", "b-two"))
    assert names(world, "one", one, two) == ["a-one", "b-two"]
    assert names(world, "two") == ["b-two", "a-one"]


def test_gateway_api_routes_are_imported_only_with_all_their_names(world: ChangingMesh) -> None:
    sidecar = resource("Sidecar", "default", "{egress: [{hosts: ['*/x.com']}]}")
    wild = simple("wild", host="'*.com'")
    assert names(world, "default", sidecar, wild) == ["wild"]
    assert names(world, "default", wild.replace("}", NOTE, 1)) == []


ROOT = (
    "{hosts: [x.com], http: [{name: root, match: [{uri: {prefix: /a}}], timeout: 3s, delegate:"
    " {name: leaf, namespace: ns}}]}"
)


def leaf(routes: str, more: str = "") -> str:
    return resource("VirtualService", "leaf", f"{{http: [{routes}]{more}}}", "ns")


def test_a_delegates_routes_take_the_place_of_the_route_that_names_it(world: ChangingMesh) -> None:
    routes = (
        "{name: leaf, match: [{uri: {prefix: /a/b}, headers: {h: {exact: v}}}], route:"
        " [{destination: {host: a}}]}"
    )
    found = spec_of(world, resource("VirtualService", "root", ROOT), leaf(routes))
    (route,) = found.spec.http
    assert (
        route.name,
        present(route.match[0].uri).prefix,
        present(route.timeout).total_seconds,
    ) == (
        "root-leaf",
        "/a/b",
        3,
    )
    assert present(route.route[0].destination).host == f"a.ns.{FULL}"
    assert route.delegate is None
    assert [key.name for key in found.sources] == ["root", "leaf"]


@pytest.mark.parametrize(
    ("match", "count"),
    [
        ("[{uri: {prefix: /a}}]", 1),
        ("[{uri: {exact: /a/x}}]", 1),
        ("[{uri: {prefix: /b}}]", 0),
        ("[{uri: {regex: /a.*}}]", 0),
        ("[{uri: {prefix: /a}}, {uri: {prefix: /b}}]", 0),
        ("[{method: {exact: GET}}]", 1),
        ("[{ignoreUriCase: true}]", 0),
    ],
)
def test_a_delegate_may_only_narrow(world: ChangingMesh, match: str, count: int) -> None:
    text = leaf(f"{{match: {match}, route: [{{destination: {{host: a}}}}]}}")
    assert len(spec_of(world, resource("VirtualService", "root", ROOT), text).spec.http) == count


@pytest.mark.parametrize(("export", "count"), [("['.']", 0), ("[default]", 1), ("['*']", 1)])
def test_a_delegate_must_be_exported_to_its_root(
    world: ChangingMesh, export: str, count: int
) -> None:
    text = leaf("{route: [{destination: {host: a}}]}", f", exportTo: {export}")
    assert len(spec_of(world, resource("VirtualService", "root", ROOT), text).spec.http) == count


def test_a_changed_delegate_changes_only_its_roots(world: ChangingMesh) -> None:
    one, two = (leaf(f"{{route: [{{destination: {{host: {host}}}}}]}}") for host in "ab")
    before, after = (
        world.apply(*texts).scope(proxy_of()).egress[0].virtual_services
        for texts in (
            (resource("VirtualService", "root", ROOT), one, simple("other", host="y.com")),
            (two,),
        )
    )
    assert [v.key.name for v in after] == ["other", "root"]
    assert after[0] is before[0]
    assert after[1] is not before[1]
