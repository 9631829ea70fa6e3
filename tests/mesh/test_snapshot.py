"""What a change leaves alone is the same object in the next snapshot: all that is compiled rests on
it."""

from __future__ import annotations

import pytest
from tests.mesh.conftest import ChangingMesh, proxy_of, resource

from varka.base.names import Namespace, ObjectKey


def service(name: str, namespace: str, port: int = 80) -> str:
    return resource(
        "Service",
        name,
        f"{{selector: {{app: {name}}}, ports: [{{name: http, port: {port}}}]}}",
        namespace,
    )


def pod(name: str, namespace: str, version: str = "v1", address: str = "1.1.1.1") -> str:
    text = resource(
        "Pod",
        f"{name}-1",
        "{containers: [{name: c, image: i}]}",
        namespace,
        f", labels: {{app: {name}, version: {version}}}",
    )
    return text + f"status: {{podIP: {address}}}"


@pytest.fixture
def mesh() -> list[str]:
    return [
        service("a", "one"),
        service("b", "two"),
        pod("a", "one"),
        pod("b", "two", address="1.1.1.2"),
        resource(
            "DestinationRule", "d", "{host: a, subsets: [{name: v1, labels: {version: v1}}]}", "one"
        ),
        resource(
            "VirtualService",
            "v",
            "{hosts: [b], http: [{route: [{destination: {host: b}}]}]}",
            "two",
        ),
    ]


def test_a_changed_endpoint_keeps_every_scope_and_inbound_side(
    world: ChangingMesh, mesh: list[str]
) -> None:
    before = world.apply(*mesh)
    kept = (
        [before.scope(proxy_of(n)) for n in ("one", "two")],
        before.proxy_context(proxy_of("one", "1.1.1.1")).inbound,
    )
    (a, b), endpoints = (
        before.services(),
        {s: before.endpoints(s, s.ports[0]) for s in before.services()},
    )
    after = world.apply(pod("a", "one", "v2"))
    assert after.services() is before.services()
    assert (
        [after.scope(proxy_of(n)) for n in ("one", "two")],
        after.proxy_context(proxy_of("one", "1.1.1.1")).inbound,
    ) == kept
    assert after.endpoints(b, b.ports[0]) is endpoints[b]
    assert [e.labels["version"] for e in after.endpoints(a, a.ports[0])] == ["v2"]


def test_a_changed_service_makes_only_the_group_of_its_namespace_anew(
    world: ChangingMesh, mesh: list[str]
) -> None:
    before = world.apply(*mesh).scope(proxy_of("one"))
    after = world.apply(service("b", "two", 81)).scope(proxy_of("one"))
    assert after is not before
    assert after.groups[0] is before.groups[0]
    assert after.groups[1] is not before.groups[1]


def test_a_changed_rule_makes_only_the_groups_that_it_touches_anew(
    world: ChangingMesh, mesh: list[str]
) -> None:
    start = world.apply(*mesh)
    before = {n: start.scope(proxy_of(n)) for n in ("one", "two")}
    snapshot = world.apply(
        resource("DestinationRule", "d", "{host: a, subsets: [{name: v2}]}", "one")
    )
    for name in ("one", "two"):
        after = snapshot.scope(proxy_of(name))
        assert [new is old for new, old in zip(after.groups, before[name].groups, strict=True)] == [
            False,
            True,
        ]


def test_a_rule_for_all_makes_no_group_for_its_own_namespace(
    world: ChangingMesh, mesh: list[str]
) -> None:
    snapshot = world.apply(*mesh)
    assert snapshot.scope(proxy_of("one")).groups[0] is snapshot.scope(proxy_of("two")).groups[0]
    own = world.apply(
        resource(
            "DestinationRule", "p", "{host: a, exportTo: ['.'], trafficPolicy: {tls: {}}}", "one"
        )
    )
    assert own.scope(proxy_of("one")).groups[0] is not own.scope(proxy_of("two")).groups[0]


def test_hidden_services_of_a_namespace_keep_the_groups_of_others_shared(
    world: ChangingMesh, mesh: list[str]
) -> None:
    hidden = service("h", "one").replace(
        "namespace: one", "namespace: one, annotations: {networking.istio.io/exportTo: '.'}"
    )
    snapshot = world.apply(*mesh, hidden)
    one, two = (snapshot.scope(proxy_of(n)) for n in ("one", "two"))
    assert [x is y for x, y in zip(one.groups, two.groups, strict=True)] == [False, True]
    assert one.egress[0].groups == one.groups


def test_a_changed_virtual_service_keeps_all_groups(world: ChangingMesh, mesh: list[str]) -> None:
    before = world.apply(*mesh).scope(proxy_of("one"))
    route = "{timeout: 1s, route: [{destination: {host: b}}]}"
    after = world.apply(
        resource("VirtualService", "v", f"{{hosts: [b], http: [{route}]}}", "two")
    ).scope(proxy_of("one"))
    assert after.groups == before.groups
    assert after.egress[0].virtual_services != before.egress[0].virtual_services


def test_a_label_that_nobody_selects_makes_no_scope_of_its_own(
    world: ChangingMesh, mesh: list[str]
) -> None:
    snapshot = world.apply(*mesh)
    assert snapshot.scope(proxy_of("one", label="x")) is snapshot.scope(proxy_of("one"))


def test_a_label_that_a_rule_selects_makes_one(world: ChangingMesh, mesh: list[str]) -> None:
    rule = resource(
        "DestinationRule", "s", "{host: a, workloadSelector: {matchLabels: {app: x}}}", "one"
    )
    snapshot = world.apply(*mesh, rule)
    assert snapshot.scope(proxy_of("one", app="x")) is not snapshot.scope(proxy_of("one"))
    assert snapshot.scope(proxy_of("one", app="y")) is snapshot.scope(proxy_of("one"))


def test_objects_by_key(world: ChangingMesh) -> None:
    text = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: ns}\nstringData: {k: v}"
    snapshot = world.apply(text)
    assert (
        snapshot.find(ObjectKey("", "Secret", Namespace("ns"), "s")) is world.state.of("Secret")[0]
    )
    assert snapshot.find(ObjectKey("", "Secret", Namespace("default"), "s")) is None
