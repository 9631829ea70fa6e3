"""Listeners of gateways: servers as chains, TLS by SNI, TCP and passthrough by VirtualServices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.envoy.conftest import Golden
from tests.envoy.listeners.conftest import (
    NAMESPACE,
    ListenerMesh,
    clusters_of,
    messages,
    plain,
    rule,
    seen_of,
    service,
    virtual_service,
)

from varka.base.names import ObjectKey
from varka.envoy.build import ListenerBuild
from varka.envoy.listeners.gateway import gateway_layers
from varka.envoy.listeners.parts import ListenerParts
from varka.mesh.gateways import merge_servers
from varka.mesh.model import MergedGateway, MergedVirtualService
from varka.proxy.node import ProxyType
from varka.registry.service import Protocol
from varka.resources.model import networking
from varka.resources.model.base import decode
from varka.resources.resource import Resource

A = "a.ns.svc.cluster.local"
KEY = ObjectKey("networking.istio.io", "Gateway", NAMESPACE, "gw")
FILES = {"serverCertificate": "/c.pem", "privateKey": "/k.pem"}


@dataclass
class Router:
    """A gateway proxy with one Gateway."""

    servers: tuple[Mapping[str, Any], ...]
    rules: tuple[MergedVirtualService, ...] = ()
    world: ListenerMesh = field(
        default_factory=lambda: ListenerMesh(
            (service("a", (9000, Protocol.TCP), addresses=("10.0.0.1",)),)
        )
    )
    traits: Mapping[str, Any] = field(default_factory=dict)

    def parts(self) -> ListenerParts:
        gateway = Resource(
            KEY, "networking.istio.io/v1", decode({"servers": self.servers}, networking.Gateway)
        )
        ports, conflicts = merge_servers((gateway,), ())
        merged = MergedGateway(ports, self.rules, conflicts)
        world = self.world
        world.traits = {"type": ProxyType.ROUTER, **self.traits}
        seen = world.seen()
        build = ListenerBuild.reporting(world.build(), seen_of(world.telemetry, seen))
        return gateway_layers(build, merged, seen)

    def listeners(self) -> dict[str, Any]:
        return messages(self.parts())

    def chains(self) -> list[tuple[list[str], str]]:
        """(SNI, target) of the only listener."""
        [listener] = self.listeners().values()
        names = [list(chain.filter_chain_match.server_names) for chain in listener.filter_chains]
        return list(zip(names, clusters_of(listener.filter_chains), strict=True))

    def tls(self) -> dict[str, Any]:
        """The TLS context of the first chain."""
        [listener] = self.listeners().values()
        config: dict[str, Any] = plain(listener)["filter_chains"][0]["transport_socket"][
            "typed_config"
        ]
        return config


def server(number: int, protocol: str, *hosts: str, **more: Any) -> dict[str, Any]:
    port = {"number": number, "protocol": protocol, "name": f"{protocol.lower()}-{number}"}
    return {"port": port, "hosts": hosts or ("*",), **more}


def https(*hosts: str, **tls: Any) -> dict[str, Any]:
    return server(443, "HTTPS", *hosts, tls={"mode": "SIMPLE", **tls})


def names(config: dict[str, Any]) -> list[str]:
    return [
        secret["name"]
        for secret in config["common_tls_context"]["tls_certificate_sds_secret_configs"]
    ]


def test_plain_servers_of_a_port_are_one_chain() -> None:
    router = Router((server(80, "HTTP", "a.com"), {**server(80, "HTTP", "b.com"), "name": "x"}))
    assert router.chains() == [([], "http http.80")]
    assert router.parts().routes == {"http.80"}
    assert set(router.listeners()) == {"0.0.0.0_80"}


def test_gateways_trust_the_address_they_see() -> None:
    chain = plain(Router((server(80, "HTTP"),)).listeners()["0.0.0.0_80"])["filter_chains"][0]
    manager = chain["filters"][0]["typed_config"]
    assert manager["use_remote_address"] is True
    assert manager["forward_client_cert_details"] == "SANITIZE_SET"


def test_the_topology_is_the_proxys_own() -> None:
    own = (
        '{"gatewayTopology": {"numTrustedProxies": 2, "proxyProtocol": {},'
        ' "forwardClientCertDetails": "FORWARD_ONLY"}}'
    )
    listener = plain(
        Router((server(80, "HTTP"),), traits={"proxy_config": own}).listeners()["0.0.0.0_80"]
    )
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    assert (manager["xff_num_trusted_hops"], manager["forward_client_cert_details"]) == (
        2,
        "FORWARD_ONLY",
    )
    assert [f["name"] for f in listener["listener_filters"]] == [
        "envoy.filters.listener.proxy_protocol"
    ]


def test_https_servers_are_told_apart_by_sni() -> None:
    second = https("ns/b.com", "*.c.com", credentialName="b")
    second["port"] = {**second["port"], "name": "second"}
    router = Router((https("a.com", credentialName="a"), second))
    assert router.chains() == [
        (["a.com"], "http https.443.https-443.gw.ns"),
        (["*.c.com", "b.com"], "http https.443.second.gw.ns"),
    ]
    assert names(router.tls()) == ["kubernetes://a"]


def test_certificates_come_from_files() -> None:
    assert names(Router((https(**FILES),)).tls()) == ["file-cert:/c.pem~/k.pem"]
    several = [FILES, {"serverCertificate": "/c2.pem", "privateKey": "/k2.pem"}]
    assert names(Router((https(tlsCertificates=several),)).tls()) == [
        "file-cert:/c.pem~/k.pem",
        "file-cert:/c2.pem~/k2.pem",
    ]


def test_certificates_come_from_secrets() -> None:
    assert names(Router((https(credentialNames=["rsa", "ecdsa"]),)).tls()) == [
        "kubernetes://rsa",
        "kubernetes://ecdsa",
    ]


def test_clients_are_checked() -> None:
    pins = {
        "verifyCertificateHash": ["ab" * 32],
        "verifyCertificateSpki": ["x" * 43 + "="],
        "subjectAltNames": ["client"],
    }
    config = Router((https(mode="MUTUAL", credentialName="a", **pins),)).tls()
    combined = config["common_tls_context"]["combined_validation_context"]
    assert config["require_client_certificate"] is True
    assert combined["validation_context_sds_secret_config"]["name"] == "kubernetes://a-cacert"
    rules = combined["default_validation_context"]
    assert rules["match_typed_subject_alt_names"][0]["matcher"] == {"exact": "client"}
    assert (len(rules["verify_certificate_hash"]), len(rules["verify_certificate_spki"])) == (1, 1)


def test_checking_clients_may_be_optional() -> None:
    config = Router(
        (https(mode="OPTIONAL_MUTUAL", caCertificates="/ca.pem", caCrl="/crl.pem", **FILES),)
    ).tls()
    combined = config["common_tls_context"]["combined_validation_context"]
    assert config["require_client_certificate"] is False
    assert combined["validation_context_sds_secret_config"]["name"] == "file-root:/ca.pem"
    assert combined["default_validation_context"]["crl"] == {"filename": "/crl.pem"}


def test_a_ca_may_be_named_apart() -> None:
    tls = Router((https(mode="MUTUAL", credentialName="a", caCertCredentialName="roots"),)).tls()
    combined = tls["common_tls_context"]["combined_validation_context"]
    assert combined["validation_context_sds_secret_config"]["name"] == "kubernetes://roots"


def test_curves_of_a_server_come_before_those_of_the_mesh() -> None:
    router = Router((https(credentialName="a", ecdhCurves=["P-384", "no-such", "P-384"]),))
    router.world.mesh = {"tlsDefaults": {"ecdhCurves": ["P-256"]}}
    assert router.tls()["common_tls_context"]["tls_params"]["ecdh_curves"] == ["P-384"]


def test_versions_and_ciphers() -> None:
    ciphers = ["ECDHE-RSA-AES256-GCM-SHA384", "NO-SUCH", "ECDHE-RSA-AES256-GCM-SHA384"]
    given = {
        "minProtocolVersion": "TLSV1_2",
        "maxProtocolVersion": "TLSV1_3",
        "cipherSuites": ciphers,
    }
    router = Router((https(credentialName="a", **given),))
    router.world.mesh = {"tlsDefaults": {"ecdhCurves": ["P-256"], "minProtocolVersion": "TLSV1_3"}}
    assert router.tls()["common_tls_context"]["tls_params"] == {
        "tls_minimum_protocol_version": "TLSv1_2",
        "tls_maximum_protocol_version": "TLSv1_3",
        "cipher_suites": ["ECDHE-RSA-AES256-GCM-SHA384"],
        "ecdh_curves": ["P-256"],
    }


def test_tcp_servers_follow_tcp_routes() -> None:
    spec = {
        "hosts": ["*"],
        "gateways": ["ns/gw"],
        "tcp": [{"match": [{"port": 31400}], "route": [{"destination": {"host": A}}]}],
    }
    router = Router((server(31400, "TCP"),), (virtual_service("v", spec),))
    assert router.chains() == [([], f"outbound|9000||{A}")]


def test_tcp_servers_without_route_have_no_listener() -> None:
    assert Router((server(31400, "TCP"),)).listeners() == {}


def test_tls_may_be_terminated_for_tcp() -> None:
    spec = {
        "hosts": ["*"],
        "gateways": ["ns/gw"],
        "tcp": [{"route": [{"destination": {"host": A}}]}],
    }
    one = server(9443, "TLS", "a.com", tls={"mode": "SIMPLE", "credentialName": "a"})
    router = Router((one,), (virtual_service("v", spec),))
    assert router.chains() == [(["a.com"], f"outbound|9000||{A}")]
    assert names(router.tls()) == ["kubernetes://a"]


def test_tls_passes_through_by_sni() -> None:
    tls = [{"match": [{"sniHosts": ["x.a.com"]}], "route": [{"destination": {"host": A}}]}]
    first = virtual_service("v", {"hosts": ["*.a.com"], "gateways": ["ns/gw"], "tls": tls})
    younger = virtual_service("w", {"hosts": ["*.a.com"], "gateways": ["ns/gw"], "tls": tls})
    other = virtual_service("o", {"hosts": ["*.a.com"], "gateways": ["ns/other"], "tls": tls})
    router = Router(
        (server(443, "TLS", "*.a.com", tls={"mode": "PASSTHROUGH"}),), (first, younger, other)
    )
    assert router.chains() == [(["x.a.com"], f"outbound|9000||{A}")]


def test_mesh_services_pass_through_by_their_cluster_name() -> None:
    policy = {"tunnel": {"targetHost": "t", "targetPort": 1}}
    world = ListenerMesh(
        (service("a", (9000, Protocol.TCP), rule=rule(A, policy, {"name": "v1"})),)
    )
    router = Router(
        (server(15443, "TLS", "*.cluster.local", tls={"mode": "AUTO_PASSTHROUGH"}),), world=world
    )
    clusters = [f"outbound_.9000_._.{A}", f"outbound_.9000_.v1_.{A}"]
    assert router.chains() == [([name], name) for name in clusters]
    [listener] = router.listeners().values()
    assert "istio" in listener.filter_chains[0].filter_chain_match.application_protocols


def test_servers_may_bind_an_address() -> None:
    assert set(Router((server(80, "HTTP", bind="10.0.0.9"),)).listeners()) == {"10.0.0.9_80"}


def test_the_edge_profile_limits_clients() -> None:
    router = Router(
        (server(80, "HTTP"),),
        traits={"proxy_config": '{"connectionSettings": {"profile": "EDGE"}}'},
    )
    listener = plain(router.listeners()["0.0.0.0_80"])
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    assert listener["per_connection_buffer_limit_bytes"] == 32768
    assert (
        manager["common_http_protocol_options"]["headers_with_underscores_action"]
        == "REJECT_REQUEST"
    )
    assert manager["http2_protocol_options"]["max_concurrent_streams"] == 100
    assert manager["path_with_escaped_slashes_action"] == "UNESCAPE_AND_REDIRECT"


def test_goldens(golden: Golden) -> None:
    mutual = https("b.com", mode="MUTUAL", caCertificates="/ca.pem", **FILES)
    mutual["port"] = {**mutual["port"], "name": "second"}
    spec = {
        "hosts": ["*"],
        "gateways": ["ns/gw"],
        "tcp": [{"route": [{"destination": {"host": A}}]}],
    }
    servers = (server(80, "HTTP"), https("a.com", credentialName="a"), mutual, server(31400, "TCP"))
    golden("gateway", Router(servers, (virtual_service("v", spec),)).listeners().values())
