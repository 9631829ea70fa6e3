"""What a change leaves alone is the same object in the next snapshot: all that is compiled rests on
it."""

from __future__ import annotations

import pytest

from varka.base.names import ObjectKey


def service(make, name: str, namespace: str, port: int = 80) -> str:
    return make(
        "Service",
        name,
        f"{{selector: {{app: {name}}}, ports: [{{name: http, port: {port}}}]}}",
        namespace,
    )


def pod(make, name: str, namespace: str, version: str = "v1", address: str = "1.1.1.1") -> str:
    text = make(
        "Pod",
        f"{name}-1",
        "{containers: [{name: c, image: i}]}",
        namespace,
        f", labels: {{app: {name}, version: {version}}}",
    )
    return text + f"status: {{podIP: {address}}}"


@pytest.fixture
def mesh(make) -> list[str]:
    return [
        service(make, "a", "one"),
        service(make, "b", "two"),
        pod(make, "a", "one"),
        pod(make, "b", "two", address="1.1.1.2"),
        make(
            "DestinationRule", "d", "{host: a, subsets: [{name: v1, labels: {version: v1}}]}", "one"
        ),
        make(
            "VirtualService",
            "v",
            "{hosts: [b], http: [{route: [{destination: {host: b}}]}]}",
            "two",
        ),
    ]


def test_a_changed_endpoint_keeps_every_scope_and_inbound_side(world, mesh, proxy, make) -> None:
    before = world.apply(*mesh)
    kept = (
        [before.scope(proxy(n)) for n in ("one", "two")],
        before.standing(proxy("one", "1.1.1.1")).inbound,
    )
    (a, b), endpoints = (
        before.services(),
        {s: before.endpoints(s, s.ports[0]) for s in before.services()},
    )
    after = world.apply(pod(make, "a", "one", "v2"))
    assert after.services() is before.services()
    assert (
        [after.scope(proxy(n)) for n in ("one", "two")],
        after.standing(proxy("one", "1.1.1.1")).inbound,
    ) == kept
    assert after.endpoints(b, b.ports[0]) is endpoints[b]
    assert [e.labels["version"] for e in after.endpoints(a, a.ports[0])] == ["v2"]


def test_a_changed_service_makes_only_the_group_of_its_namespace_anew(
    world, mesh, proxy, make
) -> None:
    before = world.apply(*mesh).scope(proxy("one"))
    after = world.apply(service(make, "b", "two", 81)).scope(proxy("one"))
    assert after is not before
    assert after.groups[0] is before.groups[0]
    assert after.groups[1] is not before.groups[1]


def test_a_changed_rule_makes_only_the_groups_that_it_touches_anew(
    world, mesh, proxy, make
) -> None:
    start = world.apply(*mesh)
    before = {n: start.scope(proxy(n)) for n in ("one", "two")}
    snapshot = world.apply(make("DestinationRule", "d", "{host: a, subsets: [{name: v2}]}", "one"))
    for name in ("one", "two"):
        after = snapshot.scope(proxy(name))
        assert [new is old for new, old in zip(after.groups, before[name].groups, strict=True)] == [
            False,
            True,
        ]


def test_a_rule_for_all_makes_no_group_for_its_own_namespace(world, mesh, proxy, make) -> None:
    snapshot = world.apply(*mesh)
    assert snapshot.scope(proxy("one")).groups[0] is snapshot.scope(proxy("two")).groups[0]
    own = world.apply(
        make("DestinationRule", "p", "{host: a, exportTo: ['.'], trafficPolicy: {tls: {}}}", "one")
    )
    assert own.scope(proxy("one")).groups[0] is not own.scope(proxy("two")).groups[0]


def test_hidden_services_of_a_namespace_keep_the_groups_of_others_shared(
    world, mesh, proxy, make
) -> None:
    hidden = service(make, "h", "one").replace(
        "namespace: one", "namespace: one, annotations: {networking.istio.io/exportTo: '.'}"
    )
    snapshot = world.apply(*mesh, hidden)
    one, two = (snapshot.scope(proxy(n)) for n in ("one", "two"))
    assert [x is y for x, y in zip(one.groups, two.groups, strict=True)] == [False, True]
    assert one.egress[0].groups == one.groups


def test_a_changed_virtual_service_keeps_all_groups(world, mesh, proxy, make) -> None:
    before = world.apply(*mesh).scope(proxy("one"))
    route = "{timeout: 1s, route: [{destination: {host: b}}]}"
    after = world.apply(
        make("VirtualService", "v", f"{{hosts: [b], http: [{route}]}}", "two")
    ).scope(proxy("one"))
    assert after.groups == before.groups
    assert after.egress[0].virtual_services != before.egress[0].virtual_services


def test_a_label_that_nobody_selects_makes_no_scope_of_its_own(world, mesh, proxy) -> None:
    snapshot = world.apply(*mesh)
    assert snapshot.scope(proxy("one", label="x")) is snapshot.scope(proxy("one"))


def test_a_label_that_a_rule_selects_makes_one(world, mesh, proxy, make) -> None:
    rule = make(
        "DestinationRule", "s", "{host: a, workloadSelector: {matchLabels: {app: x}}}", "one"
    )
    snapshot = world.apply(*mesh, rule)
    assert snapshot.scope(proxy("one", app="x")) is not snapshot.scope(proxy("one"))
    assert snapshot.scope(proxy("one", app="y")) is snapshot.scope(proxy("one"))


def test_objects_by_key(world) -> None:
    text = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: ns}\nstringData: {k: v}"
    snapshot = world.apply(text)
    assert snapshot.find(ObjectKey("", "Secret", "ns", "s")) is world.state.of("Secret")[0]
    assert snapshot.find(ObjectKey("", "Secret", "default", "s")) is None
