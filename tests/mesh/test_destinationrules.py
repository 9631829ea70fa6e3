from __future__ import annotations

import pytest

HOST = "a.default.svc.cluster.local"


@pytest.fixture
def found(world, proxy, make):
    """The rule that a client sees for service `default/a`, by its sources."""

    def find(client: str, *texts: str, **labels: str) -> list[str]:
        service = make("Service", "a", "{ports: [{port: 80}]}")
        rule = world.apply(service, *texts).scope(proxy(client, **labels)).index[HOST].rule
        return [key.name for key in rule.sources] if rule else []

    return find


def rule(make, name: str, namespace: str, host: str = HOST, more: str = "") -> str:
    return make("DestinationRule", name, f"{{host: '{host}'{more}}}", namespace)


def test_the_clients_namespace_comes_before_the_services_before_the_root(found, make) -> None:
    of_root = rule(make, "root", "istio-system")
    of_service = rule(make, "service", "default", "a")
    of_client = rule(make, "client", "client")
    assert found("client", of_root) == ["root"]
    assert found("client", of_service) == ["service"]
    assert found("client", of_client) == ["client"]
    assert found("other") == ["service"]


def test_clients_in_the_root_namespace_find_the_services_rule_first(found, make) -> None:
    assert found(
        "istio-system",
        rule(make, "root", "istio-system", "*.local"),
        rule(make, "service", "default"),
    ) == ["service"]
    assert found(
        "istio-system", rule(make, "private", "istio-system", HOST, ", exportTo: ['.']")
    ) == ["private"]


def test_the_most_specific_host_of_a_namespace(found, make) -> None:
    wide, near = (
        rule(make, "wide", "default", "*.local"),
        rule(make, "near", "default", "*.default.svc.cluster.local"),
    )
    assert found("default", wide) == ["wide"]
    assert found("default", near) == ["near"]
    assert found("default", rule(make, "exact", "default")) == ["exact"]


@pytest.mark.parametrize(
    ("export", "expected"),
    [("['.']", []), ("[client]", ["service"]), ("['*']", ["service"]), ("[x]", [])],
)
def test_rules_are_seen_where_they_are_exported(
    found, make, export: str, expected: list[str]
) -> None:
    assert (
        found("client", rule(make, "service", "default", more=f", exportTo: {export}")) == expected
    )


def test_rules_of_one_host_are_merged(world, proxy, make) -> None:
    one = rule(
        make,
        "b-younger",
        "default",
        more=", subsets: [{name: v1, labels: {v: b}}, {name: v2}], trafficPolicy: {tls: {}}",
    )
    two = rule(make, "a-older", "default", "a", ", subsets: [{name: v1, labels: {v: a}}]")
    service = make("Service", "a", "{ports: [{port: 80}]}")
    found = world.apply(service, one, two).scope(proxy()).index[HOST].rule
    assert found is not None
    assert [k.name for k in found.sources] == ["a-older", "b-younger"]
    assert [(s.name, dict(s.labels)) for s in found.subsets] == [("v1", {"v": "a"}), ("v2", {})]
    assert found.policy is not None


def test_rules_of_other_audiences_are_not_merged(found, make) -> None:
    private = rule(make, "private", "default", more=", exportTo: ['.'], trafficPolicy: {tls: {}}")
    assert found("client", private, rule(make, "public", "default")) == ["public"]


def test_a_workload_selector_beats_rules_for_all(found, make) -> None:
    selected = rule(
        make, "z-selected", "default", more=", workloadSelector: {matchLabels: {app: x}}"
    )
    assert found("default", selected, rule(make, "all", "default"), app="x") == ["z-selected"]
    assert found("default", app="y") == ["all"]
    assert found("client", app="x") == ["all"]


def test_a_selector_of_others_still_hides_the_root_namespaces_rule(found, make) -> None:
    selected = rule(make, "selected", "default", more=", workloadSelector: {matchLabels: {app: x}}")
    assert found("default", selected, rule(make, "root", "istio-system")) == []
