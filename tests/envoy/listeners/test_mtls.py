"""Inbound chains where clients may or must speak mesh mTLS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from msgspec.structs import replace
from tests.envoy.conftest import Golden
from tests.envoy.listeners.conftest import ListenerMesh, clusters_of, plain
from tests.envoy.listeners.test_inbound import Workload

from varka.base.settings import Settings
from varka.mesh.model import Inbound, MutualTls, Peers
from varka.registry.service import Protocol

P, M = Protocol, MutualTls
HTTP, TCP = "http inbound|8080||", "inbound|8080||"


@dataclass
class Secured(Workload):
    peers: Peers = Peers()

    def inbound(self) -> Inbound:
        return replace(super().inbound(), peers=self.peers)

    def chains(self, port: int) -> list[tuple[str, str, str, bool]]:
        """(transport, first ALPN, target, whether mesh TLS ends here) at a port."""
        listener = self.listeners()["virtualInbound"]
        found = [
            c for c in listener.filter_chains if c.filter_chain_match.destination_port.value == port
        ]
        return [
            (
                m.transport_protocol,
                (*m.application_protocols, "")[0],
                target,
                chain.HasField("transport_socket"),
            )
            for chain, target in zip(found, clusters_of(found), strict=True)
            for m in [chain.filter_chain_match]
        ]


@pytest.mark.parametrize(
    ("protocol", "mode", "expected"),
    [
        (P.HTTP, M.PERMISSIVE, [("tls", "istio", HTTP, True), ("raw_buffer", "", HTTP, False)]),
        (P.HTTP, M.STRICT, [("tls", "", HTTP, True)]),
        (
            P.TCP,
            M.PERMISSIVE,
            [("tls", "istio", TCP, True), ("tls", "", TCP, False), ("raw_buffer", "", TCP, False)],
        ),
        (P.TCP, M.STRICT, [("tls", "", TCP, True)]),
        (
            P.AUTO,
            M.PERMISSIVE,
            [
                ("tls", "istio-http/1.0", HTTP, True),
                ("raw_buffer", "http/1.1", HTTP, False),
                ("tls", "istio-peer-exchange", TCP, True),
                ("raw_buffer", "", TCP, False),
                ("tls", "", TCP, False),
            ],
        ),
        (P.AUTO, M.STRICT, [("tls", "istio-http/1.0", HTTP, True), ("tls", "", TCP, True)]),
    ],
)
def test_chains_by_protocol_and_mode(
    protocol: Protocol, mode: MutualTls, expected: list[Any]
) -> None:
    assert Secured(((8080, protocol),), peers=Peers(mode)).chains(8080) == expected


def test_a_port_may_have_a_mode_of_its_own() -> None:
    workload = Secured(
        ((8080, P.HTTP),), peers=Peers(M.STRICT, ((8080, M.DISABLE), (9999, M.DISABLE)))
    )
    assert workload.chains(8080) == [("raw_buffer", "", HTTP, False)]
    assert [target for _, _, target, _ in workload.chains(9999)] == [
        "http InboundPassthroughCluster",
        "InboundPassthroughCluster",
    ]
    assert [secured for _, _, _, secured in workload.chains(0)] == [True, True]


def test_identities_of_the_trust_domain_may_come_in() -> None:
    world = ListenerMesh(
        mesh={
            "trustDomain": "a.com",
            "trustDomainAliases": ["b.com"],
            "meshMTLS": {"minProtocolVersion": "TLSV1_3"},
        }
    )
    listener = Secured(((8080, P.HTTP),), world=world, peers=Peers(M.STRICT)).listeners()[
        "virtualInbound"
    ]
    [chain] = [c for c in plain(listener)["filter_chains"] if c["name"] == "0.0.0.0_8080"]
    context = chain["transport_socket"]["typed_config"]
    common = context["common_tls_context"]
    rules = common["combined_validation_context"]["default_validation_context"][
        "match_typed_subject_alt_names"
    ]
    assert [rule["matcher"]["prefix"] for rule in rules] == ["spiffe://a.com/", "spiffe://b.com/"]
    assert context["require_client_certificate"] is True
    assert [secret["name"] for secret in common["tls_certificate_sds_secret_configs"]] == [
        "default"
    ]
    assert common["tls_params"]["tls_minimum_protocol_version"] == "TLSv1_3"


def test_mesh_tls_takes_no_other_beside_it() -> None:
    tls = {"mode": "SIMPLE", "serverCertificate": "/c.pem", "privateKey": "/k.pem"}
    entry = {"port": {"number": 8080, "protocol": "HTTPS", "name": "x"}, "tls": tls}
    workload = Secured(
        (), (entry,), settings=Settings(enable_tls_on_sidecar_ingress=True), peers=Peers(M.STRICT)
    )
    assert workload.chains(8080) == [("tls", "", HTTP, True)]
    assert "file-cert" not in str(plain(workload.listeners()["virtualInbound"]))


def test_goldens(golden: Golden) -> None:
    workload = Secured(
        ((8080, P.HTTP), (8081, P.AUTO), (9000, P.TCP)),
        peers=Peers(M.PERMISSIVE, ((7000, M.STRICT),)),
    )
    golden("permissive", workload.listeners().values())
