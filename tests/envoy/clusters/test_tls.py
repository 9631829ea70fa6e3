"""TLS towards upstreams."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from envoy.extensions.transport_sockets.proxy_protocol.v3 import upstream_proxy_protocol_pb2
from envoy.extensions.transport_sockets.tls.v3 import tls_pb2
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2
from tests.envoy.clusters.conftest import ClusterMesh, Shown

from varka.envoy.tls import secret_name
from varka.proxy.node import ProxyType
from varka.registry.service import Endpoint, Protocol, Registry, ServicePort

ROUTER = {"type": ProxyType.ROUTER}

Tls = Callable[..., dict[str, Any]]


@pytest.fixture
def tls(world: ClusterMesh, shown: Shown) -> Tls:
    def of(settings: dict[str, Any], **changes: Any) -> dict[str, Any]:
        cluster = world.with_(policy={"tls": settings}, **changes).cluster()
        context = tls_pb2.UpstreamTlsContext()
        assert cluster.transport_socket.typed_config.Unpack(context)
        found: dict[str, Any] = shown(context)
        return found

    return of


def certificates(context: dict[str, Any]) -> list[str]:
    return [
        secret["name"]
        for secret in context["common_tls_context"]["tls_certificate_sds_secret_configs"]
    ]


def roots(context: dict[str, Any]) -> str:
    combined = context["common_tls_context"]["combined_validation_context"]
    return str(combined["validation_context_sds_secret_config"]["name"])


def names(context: dict[str, Any]) -> list[str]:
    """What the other side's certificate must say."""
    checked = context["common_tls_context"]["combined_validation_context"][
        "default_validation_context"
    ]
    return [m["matcher"]["exact"] for m in checked["match_typed_subject_alt_names"]]


def plaintext(world: ClusterMesh, settings: dict[str, Any], **changes: Any) -> bool:
    return (
        not world.with_(policy={"tls": settings}, **changes).cluster().HasField("transport_socket")
    )


def follows(world: ClusterMesh, settings: dict[str, Any]) -> tuple[bool, bool]:
    cluster = world.with_(policy={"tls": settings}).cluster()
    options = http_protocol_options_pb2.HttpProtocolOptions()
    for packed in cluster.typed_extension_protocol_options.values():
        packed.Unpack(options)
    return (
        options.upstream_http_protocol_options.auto_sni,
        options.upstream_http_protocol_options.auto_san_validation,
    )


def test_simple_checks_against_the_systems_roots(tls: Tls) -> None:
    context = tls(
        {"mode": "SIMPLE", "sni": "x", "subjectAltNames": ["x", "spiffe://y", "10.0.0.1"]}
    )
    assert context["sni"] == "x"
    assert roots(context) == "file-root:/etc/ssl/certs/ca-certificates.crt"
    checked = context["common_tls_context"]["combined_validation_context"][
        "default_validation_context"
    ]
    kinds = [
        (m["san_type"], m["matcher"]["exact"]) for m in checked["match_typed_subject_alt_names"]
    ]
    assert kinds == [("DNS", "x"), ("URI", "spiffe://y"), ("IP_ADDRESS", "10.0.0.1")]


def test_mutual_reads_the_files_of_the_rule(tls: Tls) -> None:
    files = {"clientCertificate": "/c", "privateKey": "/k", "caCertificates": "/r", "caCrl": "/l"}
    context = tls({"mode": "MUTUAL", **files})
    assert certificates(context) == ["file-cert:/c~/k"]
    assert roots(context) == "file-root:/r"
    combined = context["common_tls_context"]["combined_validation_context"]
    assert combined["default_validation_context"] == {"crl": {"filename": "/l"}}


def test_istios_agent_knows_the_systems_roots_where_there_is_one(tls: Tls) -> None:
    context = tls({"mode": "SIMPLE"}, traits={"istio_filters": True})
    assert roots(context) == "file-root:system"
    secret = context["common_tls_context"]["combined_validation_context"][
        "validation_context_sds_secret_config"
    ]
    assert "api_config_source" in secret["sds_config"]


def test_nothing_is_checked_when_verification_is_skipped(tls: Tls, world: ClusterMesh) -> None:
    settings = {"mode": "SIMPLE", "insecureSkipVerify": True, "subjectAltNames": ["x"]}
    assert tls(settings)["common_tls_context"]["validation_context"] == {}
    assert follows(world, settings) == (True, False)
    assert follows(world, {"mode": "SIMPLE", "insecureSkipVerify": True}) == (True, False)


def test_names_follow_the_request_where_the_rule_fixes_none(world: ClusterMesh) -> None:
    assert follows(world, {"mode": "SIMPLE"}) == (True, True)
    assert follows(world, {"mode": "SIMPLE", "subjectAltNames": ["x"]}) == (True, False)
    assert follows(world, {"mode": "SIMPLE", "sni": "x"}) == (False, False)
    assert follows(world, {"mode": "DISABLE"}) == (False, False)


def test_a_credential_is_for_gateways_and_selected_workloads(tls: Tls, world: ClusterMesh) -> None:
    settings = {"mode": "MUTUAL", "credentialName": "c"}
    assert plaintext(world, settings)
    for changes in ({"traits": ROUTER}, {"selected": True}):
        context = tls(settings, **changes)
        assert certificates(context) == ["kubernetes://c"]
        assert roots(context) == "kubernetes://c-cacert"


def test_a_public_ca_may_be_read_by_every_sidecar(tls: Tls) -> None:
    assert (
        roots(tls({"mode": "SIMPLE", "credentialName": "configmap://ns/roots"}))
        == "configmap://ns/roots-cacert"
    )


def test_names_of_a_serviceentry_are_checked_unless_the_rule_has_its_own(tls: Tls) -> None:
    external = {"registry": Registry.EXTERNAL, "subject_alt_names": ("a.example",)}
    assert names(tls({"mode": "SIMPLE"}, service=external)) == ["a.example"]
    assert names(tls({"mode": "SIMPLE", "subjectAltNames": ["b"]}, service=external)) == ["b"]


def test_http2_is_offered_when_the_cluster_speaks_it(tls: Tls) -> None:
    ports = (ServicePort("grpc", 80, Protocol.GRPC),)
    assert tls({"mode": "SIMPLE"}, ports=ports)["common_tls_context"]["alpn_protocols"] == ["h2"]
    assert "alpn_protocols" not in tls({"mode": "SIMPLE"})["common_tls_context"]


def test_mesh_mtls_needs_the_meshs_certificates(tls: Tls, world: ClusterMesh) -> None:
    settings = {"mode": "ISTIO_MUTUAL"}
    assert plaintext(world, settings)
    endpoints = (Endpoint("10.0.0.1", 80, namespace=world.group().namespace, service_account="sa"),)
    context = tls(
        settings, traits={"mesh_tls": True}, endpoints=endpoints, subsets=({"name": "v1"},)
    )
    assert context["sni"] == "outbound_.80_.v1_.a.ns.svc.cluster.local"
    assert certificates(context) == ["default"]
    assert roots(context) == "ROOTCA"
    assert names(context) == ["spiffe://cluster.local/ns/ns/sa/sa"]
    assert context["common_tls_context"]["alpn_protocols"] == ["istio"]


def test_proxy_protocol_wraps_whatever_is_inside(world: ClusterMesh) -> None:
    for policy, inner in (({}, "raw_buffer"), ({"tls": {"mode": "SIMPLE"}}, "tls")):
        cluster = world.with_(policy={**policy, "proxyProtocol": {"version": "V2"}}).cluster()
        wrapper = upstream_proxy_protocol_pb2.ProxyProtocolUpstreamTransport()
        assert cluster.transport_socket.typed_config.Unpack(wrapper)
        assert wrapper.config.version == wrapper.config.V2
        assert wrapper.transport_socket.name.endswith(inner)


def test_names_of_secrets() -> None:
    credentials = (
        "c",
        "sds://c",
        "kubernetes-gateway://a/c",
        "builtin://",
        "builtin://-cacert",
        "invalid://x",
    )
    found = [secret_name(name) for name in credentials]
    assert found == [
        "kubernetes://c",
        "kubernetes://c",
        "kubernetes-gateway://a/c",
        "default",
        "ROOTCA",
        "invalid://",
    ]
