from __future__ import annotations

import pytest

from varka.mesh.virtualservices import gateway_name

FULL = "svc.cluster.local"


def spec_of(world, proxy, *texts: str, client: str = "default"):
    (found,) = world.apply(*texts).scope(proxy(client)).egress[0].virtual_services
    return found


def test_short_names_are_services_of_the_rules_own_namespace(world, proxy, make) -> None:
    http = "{match: [{gateways: [mesh, gw]}], mirror: {host: m}, route: [{destination: {host: a}}]}"
    http += ", {mirrors: [{destination: {host: o}}], route: [{destination: {host: a}}]}"
    tls = "{match: [{sniHosts: [a.com], port: 443}], route: [{destination: {host: t}}]}"
    tcp = "{route: [{destination: {host: c.other}}]}"
    rules = f"http: [{http}], tls: [{tls}], tcp: [{tcp}]"
    text = make(
        "VirtualService", "v", f"{{hosts: [a, a.com], gateways: [mesh, gw], {rules}}}", "ns"
    )
    spec = spec_of(world, proxy, text).spec
    assert spec.hosts == (f"a.ns.{FULL}", "a.com")
    assert spec.gateways == ("mesh", "ns/gw")
    assert spec.http[0].match[0].gateways == ("mesh", "ns/gw")
    assert spec.http[0].route[0].destination.host == f"a.ns.{FULL}"
    assert spec.http[0].mirror.host == f"m.ns.{FULL}"
    assert spec.http[1].mirrors[0].destination.host == f"o.ns.{FULL}"
    assert spec.tls[0].route[0].destination.host == f"t.ns.{FULL}"
    assert spec.tcp[0].route[0].destination.host == "c.other"


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
    assert gateway_name(name, "ns") == expected


def simple(
    make,
    name: str,
    namespace: str = "default",
    host: str = "x.com",
    more: str = "",
    created: str = "",
) -> str:
    stamp = f", creationTimestamp: '{created}'" if created else ""
    http = "http: [{route: [{destination: {host: a}}]}]"
    return make("VirtualService", name, f"{{hosts: [{host}]{more}, {http}}}", namespace, stamp)


def names(world, proxy, client: str, *texts: str) -> list[str]:
    return [v.key.name for v in world.apply(*texts).scope(proxy(client)).egress[0].virtual_services]


def test_who_sees_a_rule(world, proxy, make) -> None:
    texts = (
        simple(make, "public", "ns"),
        simple(make, "private", "ns", more=", exportTo: ['.']"),
        simple(make, "given", "ns", more=", exportTo: [client]"),
        simple(make, "edge", "ns", more=", gateways: [gw]"),
    )
    assert names(world, proxy, "ns", *texts) == ["private", "public"]
    assert names(world, proxy, "client") == ["given", "public"]
    assert names(world, proxy, "other") == ["public"]


def test_a_namespaces_own_rules_come_before_those_given_to_it(world, proxy, make) -> None:
    given = simple(make, "a-given", "other", more=", exportTo: [ns]")
    assert names(
        world, proxy, "ns", given, simple(make, "z-own", "ns", more=", exportTo: ['.']")
    ) == ["z-own", "a-given"]


def test_the_meshs_default_export(world, proxy, make) -> None:
    world.configure(default_virtual_service_export_to=(".",))
    assert names(world, proxy, "client", simple(make, "v", "ns")) == []
    assert names(world, proxy, "ns") == ["v"]


def test_older_rules_come_first(world, proxy, make) -> None:
    new, old = "2020-01-02T00:00:00Z", "2020-01-01T00:00:00Z"
    texts = (
        simple(make, "a", created=new),
        simple(make, "b", created=old),
        simple(make, "c", created=new),
    )
    assert names(world, proxy, "default", *texts) == ["b", "a", "c"]


def test_a_sidecar_imports_rules_by_their_hosts(world, proxy, make) -> None:
    sidecar = make("Sidecar", "default", "{egress: [{hosts: ['*/x.com']}]}")
    wild = simple(make, "wild", host="'*.com'")
    assert names(
        world, proxy, "default", sidecar, simple(make, "v"), simple(make, "w", host="y.org"), wild
    ) == ["v", "wild"]


NOTE = ", annotations: {internal.istio.io/route-semantics: gateway}}"


def test_a_namespaces_own_gateway_api_routes_come_before_those_of_others(
    world, proxy, make
) -> None:
    one, two = (simple(make, name, name[2:]).replace("}", NOTE, 1) for name in ("a-one", "b-two"))
    assert names(world, proxy, "one", one, two) == ["a-one", "b-two"]
    assert names(world, proxy, "two") == ["b-two", "a-one"]


def test_gateway_api_routes_are_imported_only_with_all_their_names(world, proxy, make) -> None:
    sidecar = make("Sidecar", "default", "{egress: [{hosts: ['*/x.com']}]}")
    wild = simple(make, "wild", host="'*.com'")
    assert names(world, proxy, "default", sidecar, wild) == ["wild"]
    assert names(world, proxy, "default", wild.replace("}", NOTE, 1)) == []


ROOT = (
    "{hosts: [x.com], http: [{name: root, match: [{uri: {prefix: /a}}], timeout: 3s, delegate:"
    " {name: leaf, namespace: ns}}]}"
)


def leaf(make, routes: str, more: str = "") -> str:
    return make("VirtualService", "leaf", f"{{http: [{routes}]{more}}}", "ns")


def test_a_delegates_routes_take_the_place_of_the_route_that_names_it(world, proxy, make) -> None:
    routes = (
        "{name: leaf, match: [{uri: {prefix: /a/b}, headers: {h: {exact: v}}}], route:"
        " [{destination: {host: a}}]}"
    )
    found = spec_of(world, proxy, make("VirtualService", "root", ROOT), leaf(make, routes))
    (route,) = found.spec.http
    assert (route.name, route.match[0].uri.prefix, route.timeout.total_seconds) == (
        "root-leaf",
        "/a/b",
        3,
    )
    assert route.route[0].destination.host == f"a.ns.{FULL}"
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
def test_a_delegate_may_only_narrow(world, proxy, make, match: str, count: int) -> None:
    text = leaf(make, f"{{match: {match}, route: [{{destination: {{host: a}}}}]}}")
    assert len(spec_of(world, proxy, make("VirtualService", "root", ROOT), text).spec.http) == count


@pytest.mark.parametrize(("export", "count"), [("['.']", 0), ("[default]", 1), ("['*']", 1)])
def test_a_delegate_must_be_exported_to_its_root(
    world, proxy, make, export: str, count: int
) -> None:
    text = leaf(make, "{route: [{destination: {host: a}}]}", f", exportTo: {export}")
    assert len(spec_of(world, proxy, make("VirtualService", "root", ROOT), text).spec.http) == count


def test_a_changed_delegate_changes_only_its_roots(world, proxy, make) -> None:
    one, two = (leaf(make, f"{{route: [{{destination: {{host: {host}}}}}]}}") for host in "ab")
    before, after = (
        world.apply(*texts).scope(proxy()).egress[0].virtual_services
        for texts in (
            (make("VirtualService", "root", ROOT), one, simple(make, "other", host="y.com")),
            (two,),
        )
    )
    assert [v.key.name for v in after] == ["other", "root"]
    assert after[0] is before[0]
    assert after[1] is not before[1]
