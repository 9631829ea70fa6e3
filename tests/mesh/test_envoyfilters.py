from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.mesh.conftest import ChangingMesh, proxy_of, resource

from varka.mesh.snapshot import MeshSnapshot
from varka.proxy.node import Proxy

PATCH = "{applyTo: CLUSTER, patch: {operation: MERGE, value: {}}%s}"


def envoy_filter(
    name: str, namespace: str = "default", more: str = "", match: str = "", count: int = 1
) -> str:
    patches = ", ".join([PATCH % (f", match: {match}" if match else "")] * count)
    return resource("EnvoyFilter", name, f"{{configPatches: [{patches}]{more}}}", namespace)


def names(snapshot: MeshSnapshot, proxy: Proxy) -> list[tuple[str, int]]:
    return [(p.source.name, p.index) for p in snapshot.proxy_context(proxy).patches]


def test_the_root_namespaces_filters_come_first(world: ChangingMesh) -> None:
    texts = (
        envoy_filter("a-own", count=2),
        envoy_filter("z-root", "istio-system"),
        envoy_filter("late", "istio-system", ", priority: 5"),
        envoy_filter("early", more=", priority: -5"),
        envoy_filter("other", "other"),
    )
    assert names(world.apply(*texts), proxy_of()) == [
        ("early", 0),
        ("z-root", 0),
        ("a-own", 0),
        ("a-own", 1),
        ("late", 0),
    ]


def test_selectors(world: ChangingMesh) -> None:
    snapshot = world.apply(envoy_filter("f", more=", workloadSelector: {labels: {app: x}}"))
    assert names(snapshot, proxy_of(app="x")) == [("f", 0)]
    assert names(snapshot, proxy_of(app="y")) == []


def test_target_refs_find_proxies_of_gateways(world: ChangingMesh) -> None:
    reference = ", targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: gw}]"
    snapshot = world.apply(envoy_filter("f", more=reference))
    label = {"gateway.networking.k8s.io/gateway-name": "gw"}
    assert names(snapshot, proxy_of(type="router", **label)) == [("f", 0)]
    assert names(snapshot, proxy_of(type="router")) == []
    assert names(snapshot, proxy_of("other", type="router", **label)) == []


@pytest.mark.parametrize(("pattern", "count"), [("1\\\\.2.*", 1), ("^1\\\\.30", 0), ("^x", 0)])
def test_patches_for_versions_of_the_proxy(world: ChangingMesh, pattern: str, count: int) -> None:
    match = f'{{proxy: {{proxyVersion: "{pattern}", metadata: {{K: v}}}}}}'
    snapshot = world.apply(envoy_filter("f", match=match))
    described = replace(proxy_of(), metadata={"ISTIO_VERSION": "1.29.0", "K": "v"})
    assert len(snapshot.proxy_context(described).patches) == count
    assert snapshot.proxy_context(proxy_of()).patches == ()
    assert (
        snapshot.proxy_context(replace(described, metadata={"ISTIO_VERSION": "1.29.0"})).patches
        == ()
    )
