from __future__ import annotations

import pytest
from tests.mesh.conftest import ChangingMesh, proxy_of, resource

from varka.base.names import Hostname

HOST = Hostname("a.default.svc.cluster.local")


def sources(world: ChangingMesh, client: str, *texts: str, **labels: str) -> list[str]:
    """What the rule is made of that a client sees for service `default/a`."""
    service = resource("Service", "a", "{ports: [{port: 80}]}")
    rule = world.apply(service, *texts).scope(proxy_of(client, **labels)).index[HOST].rule
    return [key.name for key in rule.sources] if rule else []


def rule(name: str, namespace: str, host: str = HOST, more: str = "") -> str:
    return resource("DestinationRule", name, f"{{host: '{host}'{more}}}", namespace)


def test_the_clients_namespace_comes_before_the_services_before_the_root(
    world: ChangingMesh,
) -> None:
    of_root = rule("root", "istio-system")
    of_service = rule("service", "default", "a")
    of_client = rule("client", "client")
    assert sources(world, "client", of_root) == ["root"]
    assert sources(world, "client", of_service) == ["service"]
    assert sources(world, "client", of_client) == ["client"]
    assert sources(world, "other") == ["service"]


def test_a_workload_selector_is_for_what_the_workload_sends(world: ChangingMesh) -> None:
    service = resource("Service", "a", "{ports: [{port: 80}]}")
    own = rule("own", "default", more=", workloadSelector: {matchLabels: {app: a}}")
    mesh = world.apply(service, own, rule("all", "default"))
    selected = mesh.scope(proxy_of("default", app="a")).index[HOST]
    assert selected.rule is not None
    assert selected.rule.sources[0].name == "own"
    assert selected.inbound_rule is not None
    assert [key.name for key in selected.inbound_rule.sources] == ["all"]
    alone = world.apply(own).scope(proxy_of("default", app="a")).index[HOST]
    assert alone.rule is not None


def test_clients_in_the_root_namespace_find_the_services_rule_first(world: ChangingMesh) -> None:
    assert sources(
        world,
        "istio-system",
        rule("root", "istio-system", "*.local"),
        rule("service", "default"),
    ) == ["service"]
    assert sources(
        world, "istio-system", rule("private", "istio-system", HOST, ", exportTo: ['.']")
    ) == ["private"]


def test_the_most_specific_host_of_a_namespace(world: ChangingMesh) -> None:
    wide, near = (
        rule("wide", "default", "*.local"),
        rule("near", "default", "*.default.svc.cluster.local"),
    )
    assert sources(world, "default", wide) == ["wide"]
    assert sources(world, "default", near) == ["near"]
    assert sources(world, "default", rule("exact", "default")) == ["exact"]


@pytest.mark.parametrize(
    ("export", "expected"),
    [("['.']", []), ("[client]", ["service"]), ("['*']", ["service"]), ("[x]", [])],
)
def test_rules_are_seen_where_they_are_exported(
    world: ChangingMesh, export: str, expected: list[str]
) -> None:
    assert (
        sources(world, "client", rule("service", "default", more=f", exportTo: {export}"))
        == expected
    )


def test_rules_of_one_host_are_merged(world: ChangingMesh) -> None:
    one = rule(
        "b-younger",
        "default",
        more=", subsets: [{name: v1, labels: {v: b}}, {name: v2}], trafficPolicy: {tls: {}}",
    )
    two = rule("a-older", "default", "a", ", subsets: [{name: v1, labels: {v: a}}]")
    service = resource("Service", "a", "{ports: [{port: 80}]}")
    found = world.apply(service, one, two).scope(proxy_of()).index[HOST].rule
    assert found is not None
    assert [k.name for k in found.sources] == ["a-older", "b-younger"]
    assert [(s.name, dict(s.labels)) for s in found.subsets] == [("v1", {"v": "a"}), ("v2", {})]
    assert found.policy is not None


def test_rules_of_other_audiences_are_not_merged(world: ChangingMesh) -> None:
    private = rule("private", "default", more=", exportTo: ['.'], trafficPolicy: {tls: {}}")
    assert sources(world, "client", private, rule("public", "default")) == ["public"]


def test_a_workload_selector_beats_rules_for_all(world: ChangingMesh) -> None:
    selected = rule("z-selected", "default", more=", workloadSelector: {matchLabels: {app: x}}")
    assert sources(world, "default", selected, rule("all", "default"), app="x") == ["z-selected"]
    assert sources(world, "default", app="y") == ["all"]
    assert sources(world, "client", app="x") == ["all"]


def test_a_selector_of_others_still_hides_the_root_namespaces_rule(world: ChangingMesh) -> None:
    selected = rule("selected", "default", more=", workloadSelector: {matchLabels: {app: x}}")
    assert sources(world, "default", selected, rule("root", "istio-system")) == []
