"""How much is made again when something changes."""

from __future__ import annotations

from typing import Any

from tests.envoy.clusters.conftest import ClusterMesh

from varka.base.memo import Memo
from varka.envoy.build import Build
from varka.envoy.clusters.outbound import outbound_layer
from varka.envoy.endpoints import assignment_layer
from varka.proxy.node import Locality, ProxyType
from varka.proxy.traits import Traits
from varka.registry.service import Endpoint, Resolution

SIDECAR, ROUTER = Traits(ProxyType.SIDECAR), Traits(ProxyType.ROUTER)
NOWHERE = Locality()


class Compiled:
    """The layers of one group, again and again with other endpoints."""

    def __init__(self, world: ClusterMesh) -> None:
        self.memo, self.group, self.config = Memo(), world.group(), world.config()

    def run(
        self, endpoints: tuple[Endpoint, ...], traits: Traits = SIDECAR, place: Locality = NOWHERE
    ) -> tuple[Any, Any]:
        self.memo.turn()
        self.memo.made.clear()
        build = Build.of(self.memo, traits, self.config)
        return (
            outbound_layer(build, self.group, place, lambda *_: endpoints),
            assignment_layer(build, self.group, place, lambda *_: endpoints),
        )


def test_one_endpoint_makes_one_assignment_for_each_subset_and_no_cluster(
    world: ClusterMesh,
) -> None:
    compiled = Compiled(world.with_(subsets=({"name": "v1"}, {"name": "v2"})))
    first = compiled.run((Endpoint("10.0.0.1", 80),))
    second = compiled.run((Endpoint("10.0.0.1", 80), Endpoint("10.0.0.2", 80)))
    assert compiled.memo.made == {
        "varka.envoy.endpoints.load_assignment": 3,
        "varka.envoy.resource.Layer.of": 1,
    }
    assert second[0] is first[0]


def test_nothing_is_made_when_nothing_changed(world: ClusterMesh) -> None:
    compiled, endpoints = Compiled(world), (Endpoint("10.0.0.1", 80),)
    first = compiled.run(endpoints)
    second = compiled.run(endpoints)
    assert compiled.memo.made == {}
    assert second[0] is first[0]
    assert second[1] is first[1]


def test_endpoints_of_dns_are_the_clusters_own(world: ClusterMesh) -> None:
    compiled = Compiled(world.with_(resolution=Resolution.DNS))
    compiled.run((Endpoint("a.example", 80),))
    compiled.run((Endpoint("b.example", 80),))
    assert compiled.memo.made == {
        "varka.envoy.clusters.outbound.outbound_cluster_resource": 1,
        "varka.envoy.resource.Layer.of": 1,
    }


def test_gateways_and_sidecars_share_assignments(world: ClusterMesh) -> None:
    compiled, endpoints = Compiled(world), (Endpoint("10.0.0.1", 80),)
    _, first = compiled.run(endpoints)
    _, second = compiled.run(endpoints, ROUTER)
    assert second is first


def test_proxies_in_another_place_share_clusters_and_what_does_not_depend_on_it(
    world: ClusterMesh,
) -> None:
    endpoints = (
        Endpoint("10.0.0.1", 80, locality=Locality("r1")),
        Endpoint("10.0.0.2", 80, locality=Locality("r2")),
    )
    compiled = Compiled(
        world.with_(policy={"outlierDetection": {}}, mesh={"localityLbSetting": {"enabled": True}})
    )
    here, there = (compiled.run(endpoints, place=Locality(region)) for region in ("r1", "r2"))
    assert compiled.memo.made == {
        "varka.envoy.endpoints.load_assignment": 1,
        "varka.envoy.resource.Layer.of": 1,
    }
    assert here[0] is there[0]
    equal = Compiled(world)
    assert equal.run(endpoints, place=Locality("r1")) == equal.run(endpoints, place=Locality("r2"))
