"""Which HTTP clusters speak."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2
from tests.envoy.clusters.conftest import ClusterMesh, Shown

from varka.proxy.node import ProxyType
from varka.registry.service import Protocol, ServicePort

AUTO = (ServicePort("x", 80, Protocol.AUTO),)
Options = Callable[[Cluster], dict[str, Any]]
HTTP2: dict[str, Any] = {"explicit_http_config": {"http2_protocol_options": {}}}
FOLLOW: dict[str, Any] = {
    "use_downstream_protocol_config": {"http_protocol_options": {}, "http2_protocol_options": {}}
}


@pytest.fixture
def options(shown: Shown) -> Options:
    def of(cluster: Cluster) -> dict[str, Any]:
        message = http_protocol_options_pb2.HttpProtocolOptions()
        for packed in cluster.typed_extension_protocol_options.values():
            packed.Unpack(message)
        found: dict[str, Any] = shown(message)
        return found

    return of


def http(**settings: Any) -> dict[str, Any]:
    return {"connectionPool": {"http": settings}}


def test_http_ports_speak_plain_http1(world: ClusterMesh, options: Options) -> None:
    assert options(world.cluster()) == {}


@pytest.mark.parametrize("protocol", [Protocol.HTTP2, Protocol.GRPC, Protocol.GRPC_WEB])
def test_http2_ports_speak_http2(world: ClusterMesh, options: Options, protocol: Protocol) -> None:
    assert options(world.with_(ports=(ServicePort("x", 80, protocol),)).cluster()) == HTTP2


def test_undeclared_ports_follow_the_client_on_sidecars_only(
    world: ClusterMesh, options: Options
) -> None:
    assert options(world.with_(ports=AUTO).cluster()) == FOLLOW
    assert options(world.with_(ports=AUTO, traits={"type": ProxyType.ROUTER}).cluster()) == {}


def test_the_mesh_upgrades_http_ports_and_a_rule_may_refuse(
    world: ClusterMesh, options: Options
) -> None:
    upgrading = world.with_(mesh={"h2UpgradePolicy": "UPGRADE"})
    assert options(upgrading.cluster()) == HTTP2
    assert options(upgrading.with_(policy=http(h2UpgradePolicy="DO_NOT_UPGRADE")).cluster()) == {}
    assert options(upgrading.with_(ports=(ServicePort("x", 80, Protocol.TCP),)).cluster()) == {}
    assert options(upgrading.with_(policy=http(useClientProtocol=True)).cluster()) == FOLLOW


def test_a_rule_upgrades_any_port(world: ClusterMesh, options: Options) -> None:
    tcp = world.with_(ports=(ServicePort("x", 80, Protocol.TCP),))
    assert options(tcp.with_(policy=http(h2UpgradePolicy="UPGRADE")).cluster()) == HTTP2


def test_stream_limits_and_keepalive_are_for_http2(world: ClusterMesh, options: Options) -> None:
    settings = http(maxConcurrentStreams=5, http2KeepAlive={"interval": "30s", "timeout": "3s"})
    grpc = world.with_(ports=(ServicePort("x", 80, Protocol.GRPC),), policy=settings)
    assert options(grpc.cluster())["explicit_http_config"]["http2_protocol_options"] == {
        "max_concurrent_streams": 5,
        "connection_keepalive": {"interval": "30s", "timeout": "3s"},
    }
    assert "http2_protocol_options" not in str(options(world.with_(policy=settings).cluster()))


def test_timeouts_of_http_go_before_those_of_tcp(world: ClusterMesh, options: Options) -> None:
    tcp = {"idleTimeout": "1s", "maxConnectionDuration": "9s"}
    common = options(world.with_(policy={"connectionPool": {"tcp": tcp}}).cluster())[
        "common_http_protocol_options"
    ]
    assert common == {"idle_timeout": "1s", "max_connection_duration": "9s"}
    both = {"tcp": tcp, "http": {"idleTimeout": "2s", "maxRequestsPerConnection": 3}}
    common = options(world.with_(policy={"connectionPool": both}).cluster())[
        "common_http_protocol_options"
    ]
    assert common == {
        "idle_timeout": "2s",
        "max_connection_duration": "9s",
        "max_requests_per_connection": 3,
    }


def test_errors_that_count_may_be_named(world: ClusterMesh, options: Options) -> None:
    policy = {"outlierDetection": {"outlierDetectionHttpErrorCodes": [500, 503]}}
    matcher = options(world.with_(policy=policy).cluster())["outlier_detection"]["error_matcher"]
    assert len(matcher["or_match"]["rules"]) == 2


def test_header_case_is_kept_where_the_mesh_says_so(world: ClusterMesh, options: Options) -> None:
    mesh = {"defaultConfig": {"proxyHeaders": {"preserveHttp1HeaderCase": True}}}
    http1 = options(world.with_(mesh=mesh).cluster())["explicit_http_config"][
        "http_protocol_options"
    ]
    assert http1["header_key_format"]["stateful_formatter"]["name"] == "preserve_case"
    own = {"proxy_config": '{"proxyHeaders": {"preserveHttp1HeaderCase": false}}'}
    assert options(world.with_(mesh=mesh, traits=own).cluster()) == {}
    follow = options(world.with_(mesh=mesh, ports=AUTO).cluster())["use_downstream_protocol_config"]
    assert "header_key_format" in follow["http_protocol_options"]
