"""VirtualService rules: what the goldens do not show because it depends on the client or is an
edge."""

from __future__ import annotations

from typing import Any

import pytest
from tests.envoy.routes.conftest import mesh_of, one_route


@pytest.mark.parametrize(
    ("match", "kept"),
    [
        ({"port": 80}, True),
        ({"port": 81}, False),
        ({"sourceLabels": {"app": "web"}}, True),
        ({"sourceLabels": {"app": "web", "version": "v2"}}, False),
        ({"sourceNamespace": "default"}, True),
        ({"sourceNamespace": "other"}, False),
        ({"gateways": ["mesh"], "sourceNamespace": "other"}, True),
        ({"gateways": ["default/gateway"]}, False),
    ],
)
def test_conditions_on_the_client_decide_while_routes_are_made(
    match: dict[str, Any], kept: bool
) -> None:
    rule = {"match": [match], "route": [{"destination": {"host": "b"}}]}
    world = mesh_of(
        {
            "labels": {"app": "web"},
            "virtualServices": [{"spec": {"hosts": ["example.com"], "http": [rule]}}],
        }
    )
    assert [host.name for host in world.routes("80").virtual_hosts] == (
        ["example.com:80"] if kept else []
    ) + ["allow_any"]


def test_nothing_behind_a_route_that_takes_everything_is_kept() -> None:
    everything = {
        "match": [{"uri": {"prefix": "/"}}, {"uri": {"exact": "/late"}}],
        "directResponse": {"status": 200},
    }
    late = {"directResponse": {"status": 500}}
    world = mesh_of(
        {"virtualServices": [{"spec": {"hosts": ["example.com"], "http": [everything, late]}}]}
    )
    assert [
        route.direct_response.status for route in world.routes("80").virtual_hosts[0].routes
    ] == [200]


@pytest.mark.parametrize(
    ("redirect", "port"),
    [
        ({"port": 8080}, 8080),
        ({"port": 80}, 0),
        ({"port": 443, "scheme": "https"}, 0),
        ({"derivePort": "FROM_REQUEST_PORT"}, 0),
        ({"derivePort": "FROM_REQUEST_PORT", "scheme": "https"}, 80),
        ({"derivePort": "FROM_PROTOCOL_DEFAULT"}, 0),
    ],
)
def test_redirects_name_a_port_only_where_it_is_not_the_schemes_own(
    redirect: dict[str, Any], port: int
) -> None:
    assert one_route({"redirect": redirect}).redirect.port_redirect == port


def test_retries_of_the_mesh_are_the_default() -> None:
    mesh = {"defaultHttpRetryPolicy": {"attempts": 7}}
    assert one_route({}, mesh=mesh).route.retry_policy.num_retries.value == 7
    assert (
        one_route({"retries": {"attempts": 1}}, mesh=mesh).route.retry_policy.num_retries.value == 1
    )
    assert not one_route({"retries": {"attempts": 0}}, mesh=mesh).route.HasField("retry_policy")


def test_with_a_hash_a_retry_stays_on_the_host() -> None:
    services = [
        {
            "host": "b",
            "namespace": "default",
            "rule": {"trafficPolicy": {"loadBalancer": {"consistentHash": {"useSourceIp": True}}}},
        }
    ]
    route = one_route({}, services=services).route
    assert route.hash_policy[0].connection_properties.source_ip
    assert not route.retry_policy.retry_host_predicate
    assert one_route({}).route.retry_policy.retry_host_predicate


def test_a_fault_without_percentage_never_fires() -> None:
    [fault] = one_route({"fault": {"abort": {"httpStatus": 500}}}).typed_per_filter_config.values()
    assert b"\x1a" not in fault.value.partition(b"\x12")[2]


@pytest.mark.parametrize("percentage", [{"mirrorPercentage": {"value": 0}}, {"mirrorPercent": 0}])
def test_an_explicit_mirror_of_nothing_is_none(percentage: dict[str, Any]) -> None:
    assert not one_route({"mirror": {"host": "m"}, **percentage}).route.request_mirror_policies
    assert one_route({"mirror": {"host": "m"}}).route.request_mirror_policies


def test_the_destinations_own_host_header_gives_way_to_the_routes() -> None:
    destination = {"destination": {"host": "b"}, "headers": {"request": {"set": {"Host": "inner"}}}}
    assert one_route({"route": [destination]}).route.host_rewrite_literal == "inner"
    outer = {"route": [destination], "rewrite": {"authority": "outer"}}
    assert one_route(outer).route.host_rewrite_literal == "outer"


def test_an_external_name_stands_for_its_target() -> None:
    services = [
        {
            "host": "b",
            "namespace": "default",
            "resolution": "Alias",
            "externalName": "c.default.svc.cluster.local",
        }
    ]
    assert (
        one_route({}, services=services).route.cluster == "outbound|80||c.default.svc.cluster.local"
    )


@pytest.mark.parametrize(
    ("header", "claim"),
    [
        ("@request.auth.claims.sub", ["payload", "sub"]),
        ("@request.auth.claims[a.b][c]", ["payload", "a.b", "c"]),
        ("@request.auth.claims", None),
    ],
)
def test_claims_are_conditions_on_the_token(header: str, claim: list[str] | None) -> None:
    rule = {"match": [{"headers": {header: {"exact": "x"}}}], "directResponse": {"status": 200}}
    match = one_route(rule).match
    found = [[segment.key for segment in matcher.path] for matcher in match.dynamic_metadata]
    assert found == ([claim] if claim else [])
    assert bool(match.headers) == (claim is None)


def test_prefixes_of_an_ingress_end_at_slashes() -> None:
    http = [{"match": [{"uri": {"prefix": "/a/"}}], "directResponse": {"status": 200}}]
    rule = {"semantics": "ingress", "spec": {"hosts": ["example.com"], "http": http}}
    [route] = mesh_of({"virtualServices": [rule]}).routes("80").virtual_hosts[0].routes
    assert route.match.path_separated_prefix == "/a"
