from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace
from tests.mesh.conftest import ChangingMesh, proxy_of, resource

from varka.mesh.model import MergedGateway

Merge = Callable[..., MergedGateway]
HTTP = "{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}"
HTTPS = (
    "{port: {number: 443, name: https, protocol: HTTPS}, hosts: [%s], tls: {mode: SIMPLE,"
    " credentialName: c}}"
)


def gateway(
    name: str,
    *servers: str,
    namespace: str = "default",
    selector: str = "{istio: gw}",
    notes: str = "",
) -> str:
    note = f", annotations: {{{notes}}}" if notes else ""
    return resource(
        "Gateway",
        name,
        f"{{selector: {selector}, servers: [{', '.join(servers)}]}}",
        namespace,
        note,
    )


@pytest.fixture
def merged(world: ChangingMesh) -> Merge:
    """The router's gateway after these objects are applied as well."""

    def merge(*texts: str, namespace: str = "default", **labels: str) -> MergedGateway:
        return world.apply(*texts).gateway(
            proxy_of(namespace, "1.1.1.1", "router", **(labels or {"istio": "gw"}))
        )

    return merge


def shape(found: MergedGateway) -> list[tuple[int, str, list[tuple[str, str]]]]:
    return [
        (p.number, p.bind, [(s.gateway.name, s.route_name) for s in p.servers]) for p in found.ports
    ]


def test_gateways_of_all_namespaces_that_select_the_router(merged: Merge) -> None:
    texts = (
        gateway("a", HTTP),
        gateway("b", HTTP, namespace="other"),
        gateway("c", HTTP, selector="{istio: x}"),
    )
    assert shape(merged(*texts)) == [(80, "", [("a", "http.80"), ("b", "http.80")])]
    assert shape(merged(istio="none")) == []


def test_gateways_may_be_kept_to_their_namespace(world: ChangingMesh, merged: Merge) -> None:
    world.settings = replace(world.settings, pilot_scope_gateway_to_namespace=True)
    assert shape(merged(gateway("a", HTTP), gateway("b", HTTP, namespace="other"))) == [
        (80, "", [("a", "http.80")])
    ]


def test_every_https_server_has_a_route_configuration_of_its_own(merged: Merge) -> None:
    found = merged(gateway("a", HTTPS % "a.com"), gateway("b", HTTPS % "b.com", namespace="other"))
    assert shape(found) == [
        (443, "", [("a", "https.443.https.a.default"), ("b", "https.443.https.b.other")])
    ]
    assert found.ports[0].protocol == "HTTPS"


def test_of_two_servers_with_one_sni_the_older_serves(merged: Merge) -> None:
    found = merged(gateway("a", HTTPS % "a.com"), gateway("b", HTTPS % "'*/a.com'"))
    assert [s.gateway.name for s in found.ports[0].servers] == ["a"]
    [lost] = found.conflicts
    assert (lost.gateway.name, lost.path, "a.com" in lost.reason, lost.winner.name) == (
        "b",
        "spec.servers[0].hosts",
        True,
        "a",
    )


@pytest.mark.parametrize(
    ("one", "two", "count"),
    [
        ("HTTP", "HTTP2", 2),
        ("HTTP", "TCP", 1),
        ("TCP", "HTTP", 1),
        ("TCP", "TCP", 1),
        ("HTTP", "HTTP", 2),
    ],
)
def test_protocols_that_share_a_port(merged: Merge, one: str, two: str, count: int) -> None:
    servers = (
        f"{{port: {{number: 80, name: x, protocol: {p}}}, hosts: ['*']}}" for p in (one, two)
    )
    found = merged(*(gateway(name, server) for name, server in zip("ab", servers, strict=True)))
    assert len(found.ports[0].servers) == count
    lost = [(c.gateway.name, c.path, c.winner.name) for c in found.conflicts]
    assert lost == [("b", "spec.servers[0].port", "a")] * (2 - count)


@pytest.mark.parametrize(
    ("hosts", "more", "served"),
    [
        ("b.com", "{mode: SIMPLE, credentialName: c}", ["a", "b"]),
        ("b.com", "{mode: PASSTHROUGH}", ["a", "b"]),
        ("'*'", "{mode: SIMPLE, credentialName: c}", ["a"]),
    ],
)
def test_plain_http_beside_an_older_tls_server(
    merged: Merge, hosts: str, more: str, served: list[str]
) -> None:
    """Only an existing plain text server makes a conflict; a chain without SNI leaves nothing."""
    tls = f"{{port: {{number: 443, name: tls, protocol: HTTPS}}, hosts: [{hosts}], tls: {more}}}"
    plain = "{port: {number: 443, name: http, protocol: HTTP}, hosts: [z.com]}"
    found = merged(gateway("a", tls), gateway("b", plain))
    assert [s.gateway.name for s in found.ports[0].servers] == served
    assert [c.gateway.name for c in found.conflicts] == ["b"] * (2 - len(served))
    reverse = merged(gateway("a", plain), gateway("b", tls))
    assert [s.gateway.name for s in reverse.ports[0].servers] == ["a"]
    assert [c.winner.name for c in reverse.conflicts] == ["a"]


def test_a_server_that_redirects_to_https_has_its_port(merged: Merge) -> None:
    server = (
        "{port: {number: 80, name: x, protocol: HTTP}, hosts: ['*'], tls: {httpsRedirect: true}}"
    )
    found = merged(gateway("a", server))
    assert [s.gateway.name for s in found.ports[0].servers] == ["a"]
    assert not found.conflicts


def test_other_addresses_are_other_listeners(merged: Merge) -> None:
    bound = "{port: {number: 80, name: tcp, protocol: TCP}, bind: 1.2.3.4, hosts: ['*']}"
    found = merged(gateway("a", HTTP), gateway("b", bound))
    assert shape(found) == [(80, "", [("a", "http.80")]), (80, "1.2.3.4", [("b", "")])]


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        ("a.com", [("*", "a.com")]),
        ("./a.com", [("default", "a.com")]),
        ("other/a.com", [("other", "a.com")]),
        ("'*/*'", [("*", "*")]),
    ],
)
def test_hosts_of_servers(merged: Merge, hosts: str, expected: list[tuple[str, str]]) -> None:
    assert (
        list(merged(gateway("a", HTTP.replace("'*'", hosts))).ports[0].servers[0].hosts) == expected
    )


SERVICE = "{hosts: [x.com], resolution: STATIC, ports: [%s], endpoints: [{address: 1.1.1.1}]}"
PORT = "{number: 80, targetPort: %d, name: http, protocol: HTTP}"


def test_a_service_says_where_a_port_of_the_router_leads(merged: Merge) -> None:
    service = resource("ServiceEntry", "e", SERVICE % (PORT % 8080))
    assert shape(merged(gateway("a", HTTP), service)) == [(8080, "", [("a", "http.8080")])]
    label = ", labels: {experimental.istio.io/disable-gateway-port-translation: 'true'}"
    off = resource("ServiceEntry", "e", SERVICE % (PORT % 8080), metadata=label)
    assert [p.number for p in merged(off).ports] == [80]


def test_a_gateway_may_name_its_services(merged: Merge) -> None:
    note = "internal.istio.io/gateway-service: 'one.com,two.com'"
    texts = [
        resource("ServiceEntry", name, SERVICE.replace("x.com", f"{name}.com") % (PORT % port))
        for name, port in (("one", 8080), ("two", 8081))
    ]
    named = gateway(
        "a",
        HTTP,
        HTTP.replace("80", "82").replace("name: http", "name: h"),
        selector="{}",
        notes=note,
    )
    assert [p.number for p in merged(named, *texts).ports] == [8080, 8081]
    assert merged(namespace="other").ports == ()


def test_the_rules_bound_to_the_routers_gateways(merged: Merge) -> None:
    def rule(name: str, gateway: str, namespace: str = "default", more: str = "") -> str:
        http = "http: [{route: [{destination: {host: a}}]}]"
        return resource(
            "VirtualService",
            name,
            f"{{hosts: [x.com], gateways: [{gateway}]{more}, {http}}}",
            namespace,
        )

    found = merged(
        gateway("gw", HTTP),
        rule("own", "gw"),
        rule("other", "default/gw", "other"),
        rule("hidden", "default/gw", "other", ", exportTo: ['.']"),
        rule("unbound", "nothing"),
        rule("mesh", "mesh"),
    )
    assert [v.key.name for v in found.virtual_services] == ["other", "own"]


def test_what_does_not_change_is_the_same(world: ChangingMesh, merged: Merge) -> None:
    before = merged(gateway("a", HTTP))
    after = merged(resource("Service", "s", "{ports: [{port: 80}]}"))
    assert after is before
