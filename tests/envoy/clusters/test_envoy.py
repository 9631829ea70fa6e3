"""Every kind of cluster, loaded by Envoy itself."""

from __future__ import annotations

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from tests.envoy.clusters.conftest import Accepts, ClusterMesh, ClusterOf

from varka.base.duration import Duration
from varka.base.memo import Memo
from varka.base.names import Hostname, Namespace
from varka.envoy.build import Build
from varka.envoy.clusters.inbound import inbound_layer
from varka.envoy.clusters.sni import sni_layer
from varka.envoy.clusters.static import static_layer
from varka.mesh.model import Inbound, IngressListener
from varka.proxy.node import Locality, ProxyType
from varka.proxy.traits import Traits
from varka.registry.service import (
    Endpoint,
    Protocol,
    Registry,
    Resolution,
    ServicePort,
    ServiceTarget,
)
from varka.resources.model import networking
from varka.resources.model.base import decode
from varka.resources.model.mesh import MeshConfig

POOL = {
    "tcp": {
        "maxConnections": 3,
        "connectTimeout": "1s",
        "tcpKeepalive": {"probes": 3, "time": "10s", "interval": "5s"},
        "maxConnectionDuration": "1h",
        "idleTimeout": "5m",
    },
    "http": {
        "http1MaxPendingRequests": 5,
        "http2MaxRequests": 7,
        "maxRequestsPerConnection": 9,
        "maxRetries": 11,
        "idleTimeout": "6m",
        "h2UpgradePolicy": "UPGRADE",
        "maxConcurrentStreams": 13,
        "http2KeepAlive": {"interval": "30s", "timeout": "3s"},
    },
}
OUTLIER = {
    "consecutive5xxErrors": 3,
    "consecutiveGatewayErrors": 0,
    "splitExternalLocalOriginErrors": True,
    "consecutiveLocalOriginFailures": 4,
    "interval": "1s",
    "baseEjectionTime": "2s",
    "maxEjectionPercent": 50,
    "minHealthPercent": 20,
    "outlierDetectionHttpErrorCodes": [500, 503],
}
BALANCERS = (
    {
        "simple": "LEAST_REQUEST",
        "warmup": {"duration": "10s", "minimumPercent": 5, "aggression": 2},
    },
    {"simple": "ROUND_ROBIN", "warmupDurationSecs": "10s"},
    {"simple": "RANDOM"},
    {"simple": "PASSTHROUGH"},
    {"consistentHash": {"httpHeaderName": "x", "ringHash": {"minimumRingSize": 64}}},
    {"consistentHash": {"useSourceIp": True, "maglev": {"tableSize": 127}}},
    {"consistentHash": {"useSourceIp": True, "minimumRingSize": 99}},
    {
        "backendUtilization": {
            "weightStabilizationPeriod": "3s",
            "errorUtilizationPenaltyPercent": 100,
        }
    },
    {
        "backendUtilization": {},
        "localityLbSetting": {"failoverPriority": ["topology.kubernetes.io/region"]},
    },
    {"backendUtilization": {}, "zoneAwareLbSetting": {"minClusterSize": 3}},
    {"localityLbSetting": {"distribute": [{"from": "r/*", "to": {"r/z": 100}}]}},
    {"localityLbSetting": {"failoverPriority": ["topology.kubernetes.io/region"]}},
    {"zoneAwareLbSetting": {"enabled": False}},
    {"zoneAwareLbSetting": {"minClusterSize": 3}},
)
RESOLUTIONS = (
    (Resolution.CLIENT_SIDE, (Endpoint("10.0.0.1", 8080),)),
    (Resolution.DNS, (Endpoint("a.example", 443), Endpoint("b.example", 443))),
    (Resolution.DNS_ROUND_ROBIN, (Endpoint("a.example", 443),)),
    (Resolution.PASSTHROUGH, ()),
)


def renamed(cluster: Cluster, index: int) -> Cluster:
    cluster.name = f"{index}-{cluster.name}"
    return cluster


def test_envoy_accepts_every_balancer_with_every_resolution(
    world: ClusterMesh, envoy_accepts: Accepts
) -> None:
    policies = [
        {"loadBalancer": b, "connectionPool": POOL, "outlierDetection": OUTLIER} for b in BALANCERS
    ]
    worlds = [
        world.with_(policy=p, resolution=r, endpoints=e, place=Locality("r", "z"))
        for p in policies
        for r, e in RESOLUTIONS
    ]
    envoy_accepts(renamed(w.cluster(), i) for i, w in enumerate(worlds))


def test_envoy_accepts_tls_of_every_kind(world: ClusterMesh, envoy_accepts: Accepts) -> None:
    external = {
        "registry": Registry.EXTERNAL,
        "mesh_external": True,
        "subject_alt_names": ("spiffe://x/y", "a.example"),
    }
    modes = (
        {"mode": "DISABLE"},
        {"mode": "SIMPLE"},
        {"mode": "SIMPLE", "sni": "x.example", "subjectAltNames": ["x.example", "10.1.1.1", "a@b"]},
        {"mode": "SIMPLE", "insecureSkipVerify": True},
        {"mode": "SIMPLE", "credentialName": "c"},
        {"mode": "MUTUAL", "credentialName": "configmap://ns/c"},
        {"mode": "MUTUAL", "clientCertificate": "/c", "privateKey": "/k", "caCertificates": "/r"},
        {"mode": "ISTIO_MUTUAL"},
    )
    http2 = (ServicePort("grpc", 80, Protocol.GRPC),)
    worlds = [
        world.with_(
            policy={"tls": t, "proxyProtocol": {"version": "V2"}},
            service=external,
            traits=c,
            ports=p,
        )
        for t in modes
        for p in (world.ports, http2)
        for c in (
            {"type": ProxyType.ROUTER, "mesh_tls": True},
            {},
        )
    ]
    envoy_accepts(renamed(w.cluster(), i) for i, w in enumerate(worlds))


def test_envoy_accepts_dynamic_forward_proxies(world: ClusterMesh, envoy_accepts: Accepts) -> None:
    ports = (
        ServicePort("http", 80, Protocol.HTTP),
        ServicePort("tls", 443, Protocol.TLS),
        ServicePort("g", 90, Protocol.GRPC),
    )
    wild = world.with_(hostname="*.example.com", resolution=Resolution.DYNAMIC_DNS, ports=ports)
    # Without secrets: a bootstrap's own clusters can't have them from ADS, which starts after them.
    blind = {"mode": "SIMPLE", "insecureSkipVerify": True}
    follows = wild.with_(policy={"tls": blind}, hostname="*.example.org")
    fixed = wild.with_(policy={"tls": {**blind, "sni": "one"}}, hostname="*.example.net")
    found = [c for w in (wild, follows, fixed) for c in w.clusters().values()]
    assert len(found) == 9
    envoy_accepts(found)


def test_envoy_accepts_the_static_and_inbound_clusters(
    world: ClusterMesh, envoy_accepts: Accepts, cluster_of: ClusterOf
) -> None:
    traits = Traits(ProxyType.SIDECAR, ipv6=True, dns_capture=True)
    config = decode({"outboundTrafficPolicy": {"mode": "ALLOW_ANY_DYNAMIC_DNS"}}, MeshConfig)
    group = world.group()
    service = group.services[0].service
    rules = {e.service: e.rule for e in group.services if e.rule}
    targets = (ServiceTarget(service, service.ports[0], 8080),)
    inbound = Inbound(Namespace("ns"), targets, None, None, None)
    entries = [
        {
            "port": {"number": 80, "protocol": "HTTP", "name": "http"},
            "defaultEndpoint": "127.0.0.1:8080",
        },
        {
            "port": {"number": 81, "protocol": "TCP", "name": "tcp"},
            "defaultEndpoint": "unix:///run/app.sock",
        },
        {
            "port": {"number": 82, "protocol": "GRPC", "name": "grpc"},
            "defaultEndpoint": "0.0.0.0:8080",
        },
        {"port": {"number": 83, "protocol": "HTTP", "name": "http"}},
    ]
    ingress = tuple(
        IngressListener(decode(e, networking.IstioIngressListener), None) for e in entries
    )
    own = Inbound(Namespace("ns"), (), ingress, None, None, ("10.0.0.9",))
    build = Build.of(Memo(), traits, config)
    layers = (
        static_layer(build),
        inbound_layer(build, inbound, rules),
        inbound_layer(build, own, rules),
        sni_layer(build, group, Locality(), lambda *_: ()),
    )
    found = [cluster_of(r) for layer in layers for r in layer.resources.values()]
    assert len(found) == 4 + 1 + 4 + 1
    assert Hostname(found[-1].name) == "outbound_.80_._.a.ns.svc.cluster.local"
    assert found[4].cleanup_interval.seconds > Duration.seconds(86400).total_seconds
    envoy_accepts(found)
