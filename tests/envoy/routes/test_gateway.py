"""Virtual hosts of gateways, beyond the golden."""

from __future__ import annotations

from typing import Any

import pytest
from tests.envoy.routes.conftest import domains_of, mesh_of

HTTP = {"port": {"number": 80, "name": "http", "protocol": "HTTP"}}


def rule(hosts: list[str], **fields: Any) -> dict[str, Any]:
    spec = {
        "hosts": hosts,
        "gateways": ["default/gateway"],
        "http": [{"directResponse": {"status": 200}}],
    }
    return {"spec": spec, **fields}


@pytest.mark.parametrize(
    ("allowed", "asked", "common"),
    [
        (["*"], ["a.com", "*.b.com"], {"a.com:80", "*.b.com:80"}),
        (["*.com"], ["a.com", "b.org"], {"a.com:80"}),
        (["a.com", "b.com"], ["*.com"], {"a.com:80", "b.com:80"}),
        (["other/a.com", "default/b.com"], ["*"], {"b.com:80"}),
        (["A.com"], ["a.COM"], {"a.com:80"}),
    ],
)
def test_a_rule_serves_the_hosts_that_the_server_has_too(
    allowed: list[str], asked: list[str], common: set[str]
) -> None:
    server = {"route": "http.80", "spec": {**HTTP, "hosts": allowed}}
    found = domains_of(
        mesh_of({"servers": [server], "virtualServices": [rule(asked)]}).gateway_routes("http.80")
    )
    domains = {f"{domain}:80" for name in found for domain in found[name]}
    assert domains == common


def test_hosts_with_the_same_routes_share_a_virtual_host() -> None:
    server = {"route": "http.80", "spec": {**HTTP, "hosts": ["*"]}}
    found = domains_of(
        mesh_of(
            {"servers": [server], "virtualServices": [rule(["b.com", "aa.com"])]}
        ).gateway_routes("http.80")
    )
    assert found == {"aa.com:80": ["aa.com", "b.com"]}


def test_a_server_that_redirects_needs_no_rule() -> None:
    server = {
        "route": "http.80",
        "spec": {**HTTP, "hosts": ["Example.com"], "tls": {"httpsRedirect": True}},
    }
    [host] = mesh_of({"servers": [server]}).gateway_routes("http.80").virtual_hosts
    assert (list(host.domains), host.require_tls, len(host.routes)) == (
        ["example.com"],
        host.ALL,
        0,
    )


def test_private_rules_stand_before_public_ones() -> None:
    server = {"route": "http.80", "spec": {**HTTP, "hosts": ["*"]}}
    public, private = (
        rule(["a.com"], name="public"),
        rule(["a.com"], name="private", exportTo=["default"]),
    )
    [host] = (
        mesh_of({"servers": [server], "virtualServices": [public, private]})
        .gateway_routes("http.80")
        .virtual_hosts
    )
    assert [route.decorator.operation for route in host.routes] == ["private:80/*", "public:80/*"]
