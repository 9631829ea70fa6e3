"""Transport sockets of clusters."""

from __future__ import annotations

from envoy.config.cluster.v3 import cluster_pb2
from envoy.extensions.transport_sockets.tls.v3 import tls_pb2

from varka.envoy.sockets import (
    MatchedSocket,
    Socket,
    proxy_protocol_socket,
    raw_socket,
    set_sockets,
    tls_socket,
)
from varka.envoy.tls import credential
from varka.envoy.violations import violations
from varka.resources.model import networking


def secret(name: str) -> Socket:
    context = tls_pb2.UpstreamTlsContext()
    context.common_tls_context.tls_certificate_sds_secret_configs.append(credential(name))
    return tls_socket(context)


def test_no_socket_is_plaintext() -> None:
    cluster = cluster_pb2.Cluster(name="a")
    assert set_sockets(cluster, ()) == frozenset()
    assert cluster == cluster_pb2.Cluster(name="a")


def test_one_for_all_endpoints_needs_no_match() -> None:
    cluster = cluster_pb2.Cluster(name="a")
    assert set_sockets(cluster, (MatchedSocket(secret("c")),)) == {"kubernetes://c"}
    assert cluster.transport_socket.name == "envoy.transport_sockets.tls"
    assert not cluster.transport_socket_matches


def test_several_are_matched_in_order() -> None:
    """As auto mTLS needs it: TLS for endpoints that speak it, else plaintext."""
    cluster = cluster_pb2.Cluster(name="a")
    sockets = (
        MatchedSocket(secret("c"), "tlsMode-istio", {"tlsMode": "istio"}),
        MatchedSocket(raw_socket(), "tlsMode-disabled"),
    )
    assert set_sockets(cluster, sockets) == {"kubernetes://c"}
    assert not cluster.HasField("transport_socket")
    first, second = cluster.transport_socket_matches
    assert first.match.fields["tlsMode"].string_value == "istio"
    assert (second.name, len(second.match.fields)) == ("tlsMode-disabled", 0)
    assert second.transport_socket.name == "envoy.transport_sockets.raw_buffer"
    assert violations(cluster) == []


def test_proxy_protocol_asks_for_the_secrets_of_what_is_inside() -> None:
    socket = proxy_protocol_socket(networking.VERSION.V2, secret("c"))
    assert socket.secrets == {"kubernetes://c"}
    assert proxy_protocol_socket(networking.VERSION.V2, None).secrets == frozenset()
