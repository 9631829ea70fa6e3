"""Clusters towards the workload itself, and those every proxy has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from envoy.config.cluster.v3.cluster_pb2 import Cluster
from msgspec.structs import replace
from tests.envoy.clusters.conftest import ClusterMesh, ClusterOf, Shown

from varka.base.memo import Memo
from varka.base.names import Hostname, Namespace, ObjectKey
from varka.envoy.build import Build
from varka.envoy.clusters.inbound import inbound_layer
from varka.envoy.clusters.static import static_layer
from varka.mesh.model import Inbound, IngressListener
from varka.proxy.node import Interception, ProxyType
from varka.proxy.traits import Traits
from varka.registry.service import ServicePort, ServiceTarget
from varka.resources.model import networking
from varka.resources.model.base import decode
from varka.resources.model.mesh import MeshConfig

SIDECAR = Traits(ProxyType.SIDECAR)
Compile = Callable[..., dict[str, Cluster]]
Target = ServiceTarget | tuple[ServicePort, int]
"""A port and the number it is served at, of the world's own service unless it names another."""


@pytest.fixture
def inbound(cluster_of: ClusterOf) -> Compile:
    """Compile the inbound side of a workload behind the world's service, or of one with
    `ingress`."""

    def compiled(
        world: ClusterMesh,
        targets: tuple[Target, ...] = (),
        ingress: tuple[dict[str, Any], ...] | None = None,
        pool: dict[str, Any] | None = None,
        traits: Traits = SIDECAR,
        addresses: tuple[str, ...] = (),
    ) -> dict[str, Cluster]:
        group = world.group()
        service = group.services[0].service
        served = tuple(
            t if isinstance(t, ServiceTarget) else ServiceTarget(service, *t) for t in targets
        )
        rules = {e.service: e.rule for e in group.services if e.rule}
        entries = None
        if ingress is not None:
            entries = tuple(
                IngressListener(decode(i, networking.IstioIngressListener), None) for i in ingress
            )
        settings = None if pool is None else decode(pool, networking.ConnectionPoolSettings)
        side = Inbound(Namespace("ns"), served, entries, None, settings, addresses)
        layer = inbound_layer(Build.of(Memo(), traits, world.config()), side, rules)
        return {name: cluster_of(r) for name, r in layer.resources.items()}

    return compiled


def target(port: ServicePort, number: int) -> Target:
    return port, number


def entry(number: int, endpoint: str = "", protocol: str = "HTTP") -> dict[str, Any]:
    port = {"number": number, "protocol": protocol, "name": "p"}
    return {"port": port, **({"defaultEndpoint": endpoint} if endpoint else {})}


def where(cluster: Cluster) -> str:
    if cluster.type == cluster.ORIGINAL_DST:
        return "original"
    ((place,),) = [p.lb_endpoints for p in cluster.load_assignment.endpoints]
    address = place.endpoint.address
    return (
        address.pipe.path or f"{address.socket_address.address}:{address.socket_address.port_value}"
    )


def test_traffic_goes_where_it_was_sent_from_an_address_that_is_not_captured(
    world: ClusterMesh, inbound: Compile
) -> None:
    found = inbound(world, (target(world.ports[0], 8080),))
    (cluster,) = found.values()
    assert list(found) == ["inbound|8080||"]
    assert where(cluster) == "original"
    assert cluster.upstream_bind_config.source_address.address == "127.0.0.6"
    assert cluster.lb_policy == cluster.CLUSTER_PROVIDED


def test_localhost_mode_sends_to_the_loopback_without_that_address(
    world: ClusterMesh, inbound: Compile
) -> None:
    world = world.with_(mesh={"inboundTrafficPolicy": {"mode": "LOCALHOST"}})
    (cluster,) = inbound(world, (target(world.ports[0], 8080),)).values()
    assert where(cluster) == "127.0.0.1:8080"
    assert not cluster.HasField("upstream_bind_config")


def test_services_that_share_a_port_share_its_cluster(
    world: ClusterMesh, inbound: Compile, shown: Shown
) -> None:
    port = world.ports[0]
    service = world.group().services[0].service
    other = replace(
        service,
        hostname=Hostname("b.ns.svc.cluster.local"),
        name="b",
        source=ObjectKey("", "Service", "ns", "b"),
    )
    third = ServiceTarget(
        replace(other, name="c", hostname=Hostname("c")),
        ServicePort("more", 81, port.protocol),
        8080,
    )
    (cluster,) = inbound(
        world, (target(port, 8080), ServiceTarget(other, port, 8080), third)
    ).values()
    services = shown(cluster)["metadata"]["filter_metadata"]["istio"]["services"]
    assert [s["name"] for s in services] == ["a", "b"]


def test_the_servers_side_takes_the_pool_of_its_rule_and_nothing_else(
    world: ClusterMesh, inbound: Compile, shown: Shown
) -> None:
    policy = {
        "connectionPool": {"tcp": {"maxConnections": 3}},
        "outlierDetection": {},
        "tls": {"mode": "SIMPLE"},
    }
    (cluster,) = inbound(world.with_(policy=policy), (target(world.ports[0], 8080),)).values()
    assert cluster.circuit_breakers.thresholds[0].max_connections.value == 3
    assert not cluster.HasField("outlier_detection")
    assert not cluster.HasField("transport_socket")
    assert shown(cluster)["metadata"]["filter_metadata"]["istio"]["config"].endswith(
        "/destination-rule/rule"
    )


def test_the_sidecars_pool_goes_before_the_rules(world: ClusterMesh, inbound: Compile) -> None:
    world = world.with_(policy={"connectionPool": {"tcp": {"maxConnections": 3}}})
    pool = {"tcp": {"maxConnections": 4}}
    (cluster,) = inbound(world, (target(world.ports[0], 8080),), pool=pool).values()
    assert cluster.circuit_breakers.thresholds[0].max_connections.value == 4


def test_ingress_says_where_to_send(world: ClusterMesh, inbound: Compile) -> None:
    entries = (
        entry(80),
        entry(81, "127.0.0.1:8081"),
        entry(82, "unix:///run/app.sock"),
        entry(83, "0.0.0.0:8083"),
        entry(84, "[::1]:8084"),
        entry(85, "[::]:8085"),
        entry(86, "nonsense"),
    )
    found = inbound(
        world, (target(world.ports[0], 8080),), entries, addresses=("10.0.0.9", "fd00::9")
    )
    assert {name: where(cluster) for name, cluster in found.items()} == {
        "inbound|80||": "original",
        "inbound|81||": "127.0.0.1:8081",
        "inbound|82||": "/run/app.sock",
        "inbound|83||": "10.0.0.9:8083",
        "inbound|84||": "127.0.0.1:8084",
        "inbound|85||": "fd00::9:8085",
    }


def test_ingress_may_have_its_own_pool_and_protocol(world: ClusterMesh, inbound: Compile) -> None:
    own = {**entry(80, protocol="grpc"), "connectionPool": {"tcp": {"maxConnections": 5}}}
    (cluster,) = inbound(world, ingress=(own,), pool={"tcp": {"maxConnections": 4}}).values()
    assert cluster.circuit_breakers.thresholds[0].max_connections.value == 5
    assert next(iter(cluster.typed_extension_protocol_options.values())).value != b""


def test_without_capture_only_ingress_makes_clusters(world: ClusterMesh, inbound: Compile) -> None:
    traits = replace(SIDECAR, interception=Interception.NONE)
    assert inbound(world, (target(world.ports[0], 8080),), traits=traits) == {}
    assert list(inbound(world, ingress=(entry(80, "127.0.0.1:80"),), traits=traits)) == [
        "inbound|80||"
    ]


def of(traits: Traits) -> Build:
    return Build.of(Memo(), traits, MeshConfig())


def test_what_every_proxy_has(cluster_of: ClusterOf) -> None:
    sidecar = static_layer(of(SIDECAR)).resources
    assert set(sidecar) == {"BlackHoleCluster", "PassthroughCluster", "InboundPassthroughCluster"}
    assert set(static_layer(of(Traits(ProxyType.ROUTER))).resources) == {"BlackHoleCluster"}
    dual = static_layer(of(replace(SIDECAR, ipv6=True))).resources["InboundPassthroughCluster"]
    bind = cluster_of(dual).upstream_bind_config
    assert (bind.source_address.address, bind.extra_source_addresses[0].address.address) == (
        "127.0.0.6",
        "::6",
    )
