"""Virtual hosts of sidecars: who gets which, and how they travel."""

from __future__ import annotations

from typing import Any

import pytest
from envoy.config.route.v3 import route_components_pb2, route_pb2
from msgspec.structs import replace
from tests.envoy.routes.conftest import domains_of, mesh_of

from varka.base.names import Namespace
from varka.envoy.routes.sidecar import VHDS_FROM

A, B = "a.default.svc.cluster.local", "b.other.svc.cluster.local"


def rule(host: str, status: int = 200, name: str = "rule") -> dict[str, Any]:
    return {
        "name": name,
        "spec": {"hosts": [host], "http": [{"directResponse": {"status": status}}]},
    }


def many(count: int) -> list[dict[str, Any]]:
    return [
        {"host": f"s{n}.ns{n % 4}.svc.cluster.local", "addresses": [f"10.0.{n // 250}.{n % 250}"]}
        for n in range(count)
    ]


def test_assembled_bytes_are_protobufs_own() -> None:
    world = mesh_of({"services": many(40), "virtualServices": [rule("s1.ns1.svc.cluster.local")]})
    body = world.sidecar("80").route.body
    assert (
        route_pb2.RouteConfiguration.FromString(body).SerializeToString(deterministic=True) == body
    )


def test_a_large_configuration_travels_by_virtual_host() -> None:
    world = mesh_of({"services": many(VHDS_FROM), "virtualServices": [rule("unknown.com")]})
    parts = world.sidecar("80")
    route = route_pb2.RouteConfiguration.FromString(parts.route.body)
    assert [host.name for host in route.virtual_hosts] == ["allow_any"]
    assert route.vhds.config_source.HasField("ads")
    assert len(parts.virtual_hosts) == 5
    found = {
        name: resource
        for layer in parts.virtual_hosts
        for name, resource in layer.resources.items()
    }
    assert len(found) == VHDS_FROM + 1
    for name, resource in found.items():
        assert route_components_pb2.VirtualHost.FromString(resource.body).name == name
        assert name.startswith("80/")


def test_a_rule_does_not_change_the_form() -> None:
    world = mesh_of({"services": many(VHDS_FROM - 1)})
    assert not world.sidecar("80").virtual_hosts
    assert not world.with_rules(rule("unknown.com"), rule("other.com")).sidecar("80").virtual_hosts


def test_one_rule_remakes_only_its_virtual_hosts() -> None:
    rules = [rule("s1.ns1.svc.cluster.local"), rule("s2.ns2.svc.cluster.local", name="two")]
    world = mesh_of({"services": many(VHDS_FROM), "virtualServices": rules})
    before = world.sidecar("80")
    world.memo.made.clear()
    changed = world.with_rules(rules[0], rule("s2.ns2.svc.cluster.local", 201, name="two"))
    after = changed.sidecar("80")
    # The rule that kept its content is a new object here, so both are made again; nothing else is.
    assert world.memo.made["varka.envoy.routes.virtual_host.virtual_host"] == 2
    assert after.route is before.route
    assert [a is b for a, b in zip(after.virtual_hosts, before.virtual_hosts, strict=True)].count(
        True
    ) == 2


def test_clients_of_other_namespaces_share_virtual_hosts() -> None:
    world = mesh_of({"services": many(40)})
    world.sidecar("80")
    world.memo.made.clear()
    replace(world, namespace=Namespace("elsewhere")).sidecar("80")
    assert "varka.envoy.routes.virtual_host.virtual_host" not in world.memo.made
    replace(world, namespace=Namespace("ns1")).sidecar("80")
    assert world.memo.made["varka.envoy.routes.virtual_host.virtual_host"] == 10


@pytest.mark.parametrize(("labels", "plans"), [({"app": "shop"}, 0), ({"app": "web"}, 1)])
def test_clients_that_no_rule_tells_apart_share_everything(
    labels: dict[str, str], plans: int
) -> None:
    choosy = {"match": [{"sourceLabels": {"app": "web"}}], "directResponse": {"status": 200}}
    world = mesh_of(
        {
            "services": many(40),
            "virtualServices": [{"spec": {"hosts": ["x.com"], "http": [choosy]}}],
        }
    )
    world.sidecar("80")
    world.memo.made.clear()
    other = replace(
        world, traits=replace(world.traits, labels=tuple(labels.items()), http_proxy_port=1)
    )
    other.sidecar("80")
    assert world.memo.made.get("varka.envoy.routes.outbound.make_plan", 0) == plans


def test_the_older_of_two_rules_for_a_host_wins() -> None:
    world = mesh_of(
        {"services": [{"host": A}], "virtualServices": [rule(A, 200), rule(A, 500, "younger")]}
    )
    [host, _] = world.routes("80").virtual_hosts
    assert host.routes[0].direct_response.status == 200


@pytest.mark.parametrize(("client", "status"), [("default", 0), ("other", 201)])
def test_a_gateway_api_route_speaks_for_its_own_namespace(client: str, status: int) -> None:
    consumer = {"namespace": "other", "semantics": "gateway", **rule(A, 201)}
    world = mesh_of({"services": [{"host": A}], "namespace": client, "virtualServices": [consumer]})
    assert world.routes("80").virtual_hosts[0].routes[0].direct_response.status == status


def test_a_wildcard_takes_only_services_that_no_rule_is_more_specific_for() -> None:
    rules = [
        rule("*.local", 201),
        rule("*.svc.cluster.local", 202, "narrow"),
        rule(A, 203, "exact"),
    ]
    world = mesh_of({"services": [{"host": A}, {"host": B}], "virtualServices": rules})
    found = {
        host.name: host.routes[0].direct_response.status
        for host in world.routes("80").virtual_hosts[:-1]
    }
    assert found == {f"{A}:80": 203, f"{B}:80": 202}


def test_a_rule_for_unknown_hosts_counts_on_port_80_alone() -> None:
    world = mesh_of(
        {
            "services": [{"host": A, "ports": {80: "HTTP", 8080: "HTTP"}}],
            "virtualServices": [rule("x.com")],
        }
    )
    assert "x.com:80" in domains_of(world.routes("80"))
    assert "x.com:8080" not in domains_of(world.routes("8080"))


def test_an_unknown_host_follows_a_service_of_its_rule() -> None:
    both = {"spec": {"hosts": [A, "x.com"], "http": [{"directResponse": {"status": 200}}]}}
    world = mesh_of({"services": [{"host": A, "ports": {8080: "HTTP"}}], "virtualServices": [both]})
    assert domains_of(world.routes("8080"))["x.com:8080"] == ["x.com"]


def test_no_domain_is_there_twice() -> None:
    services = [
        {"host": A, "addresses": ["10.0.0.1"]},
        {"host": B, "addresses": ["10.0.0.1"]},
        {"host": "a.default", "namespace": "x"},
    ]
    found = domains_of(mesh_of({"services": services}).routes("80"))
    domains = [domain for name in found for domain in found[name]]
    assert len(domains) == len(set(domains))
    assert "a.default" in found["a.default:80"]
    assert "10.0.0.1" in found[f"{A}:80"]


def test_the_catch_all_keeps_its_domain() -> None:
    world = mesh_of(
        {
            "virtualServices": [
                {"spec": {"hosts": ["*", "x.com"], "http": [{"directResponse": {"status": 200}}]}}
            ]
        }
    )
    assert domains_of(world.routes("80")) == {"x.com:80": ["x.com"], "allow_any": ["*"]}


@pytest.mark.parametrize(
    ("capture", "expected"),
    [(True, ["x.com", "x.com.", "240.240.0.1"]), (False, ["x.com", "x.com."])],
)
def test_automatic_addresses_are_for_proxies_that_resolve_them(
    capture: bool, expected: list[str]
) -> None:
    service = {
        "host": "x.com",
        "namespace": "o",
        "registry": "External",
        "autoAddresses": ["240.240.0.1", "2001:2::1"],
    }
    world = mesh_of({"services": [service], "dnsCapture": capture})
    assert domains_of(world.routes("80"))["x.com:80"] == expected


def test_aliases_are_names_of_the_service() -> None:
    alias = {
        "host": "alias.other.svc.cluster.local",
        "resolution": "Alias",
        "externalName": A,
        "ports": {},
    }
    service = {"host": A, "aliases": [["other", "alias.other.svc.cluster.local"]]}
    found = domains_of(mesh_of({"services": [service, alias]}).routes("80"))
    assert set(found) == {f"{A}:80", "allow_any"}
    assert {"alias.other.svc.cluster.local", "alias.other"} < set(found[f"{A}:80"])


@pytest.mark.parametrize(
    ("fields", "cluster"),
    [
        ({}, "PassthroughCluster"),
        ({"mode": "ALLOW_ANY_DYNAMIC_DNS"}, "AllowAnyDynamicDNSCluster"),
        (
            {"egressProxy": {"host": "out.com", "port": {"number": 8443}, "subset": "x"}},
            "outbound|8443|x|out.com",
        ),
    ],
)
def test_unknown_hosts_go_where_the_policy_says(fields: dict[str, Any], cluster: str) -> None:
    assert mesh_of(fields).routes("80").virtual_hosts[-1].routes[0].route.cluster == cluster


def test_a_socket_of_a_sidecar_sees_all_ports() -> None:
    listener = {"bind": "unix:///run/x", "port": {"number": 0, "protocol": "HTTP"}}
    services = [{"host": A, "ports": {9090: "HTTP", 80: "HTTP"}}]
    found = domains_of(mesh_of({"services": services, "egress": listener}).routes("unix:///run/x"))
    assert found[f"{A}:9090"][0] == f"{A}:9090"
    assert found[f"{A}:80"][:2] == [A, f"{A}:80"]


def test_a_listener_of_another_port_gives_only_the_catch_all() -> None:
    world = mesh_of(
        {"services": [{"host": A}], "egress": {"port": {"number": 9090, "protocol": "HTTP"}}}
    )
    assert set(domains_of(world.routes("80"))) == {"allow_any"}


def test_other_domains_than_kubernetes_abbreviate_too() -> None:
    world = mesh_of(
        {
            "services": [{"host": "foo.local.campus.net"}],
            "namespace": "local",
            "dnsDomain": "*.campus.net",
        }
    )
    assert {"foo", "foo.local.campus.net."} < set(
        domains_of(world.routes("80"))["foo.local.campus.net:80"]
    )
