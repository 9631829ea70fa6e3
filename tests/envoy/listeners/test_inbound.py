"""Inbound listeners of sidecars: chains by port and protocol, inspection, `Sidecar.ingress`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from envoy.config.listener.v3.listener_pb2 import Listener
from tests.envoy.conftest import Golden
from tests.envoy.listeners.conftest import (
    NAMESPACE,
    ListenerMesh,
    clusters_of,
    messages,
    plain,
    service,
)

from varka.base.names import ObjectKey
from varka.base.settings import Settings
from varka.envoy.build import ListenerBuild
from varka.envoy.listeners.inbound import inbound_layer
from varka.mesh.model import Inbound, IngressListener
from varka.proxy.node import Interception
from varka.registry.service import Protocol, ServiceTarget
from varka.resources.model import networking
from varka.resources.model.base import decode

P = Protocol
SIDECAR = ObjectKey("networking.istio.io", "Sidecar", NAMESPACE, "side")


@dataclass
class Workload:
    serves: tuple[tuple[int, Protocol], ...] = ()
    ingress: tuple[Mapping[str, Any], ...] | None = None
    address: str = ""
    world: ListenerMesh = field(default_factory=ListenerMesh)
    settings: Settings = Settings()

    def inbound(self) -> Inbound:
        found = [service(f"s{n}", (n, protocol)) for n, protocol in self.serves]
        targets = tuple(ServiceTarget(e.service, e.ports[0], e.ports[0].number) for e in found)
        entries = (
            None
            if self.ingress is None
            else tuple(
                IngressListener(decode(entry, networking.IstioIngressListener), None)
                for entry in self.ingress
            )
        )
        return Inbound(
            NAMESPACE, targets, entries, SIDECAR if entries else None, None, address=self.address
        )

    def listeners(self) -> dict[str, Any]:
        world = self.world
        return messages(
            inbound_layer(
                ListenerBuild.reporting(world.build(), world.telemetry),
                self.inbound(),
                self.settings,
            )
        )


def chains(listener: Listener) -> dict[str, list[tuple[int, str, str]]]:
    """By chain name: (port, target, transport)."""
    found: dict[str, list[tuple[int, str, str]]] = {}
    for chain, target in zip(
        listener.filter_chains, clusters_of(listener.filter_chains), strict=True
    ):
        match = chain.filter_chain_match
        found.setdefault(chain.name, []).append(
            (match.destination_port.value, target, match.transport_protocol)
        )
    return found


def disabled(listener: Listener) -> dict[str, Any]:
    """Where each inspector is switched off."""
    return {
        f["name"].rpartition(".")[2]: f.get("filter_disabled")
        for f in plain(listener)["listener_filters"]
    }


def test_each_port_has_chains_by_its_protocol() -> None:
    found = Workload(((8080, P.HTTP), (9000, P.TCP), (8081, P.AUTO))).listeners()
    assert list(found) == ["virtualInbound"]
    assert chains(found["virtualInbound"]) == {
        "virtualInbound-blackhole": [(15006, "BlackHoleCluster", "")],
        "virtualInbound-catchall-http": [(0, "http InboundPassthroughCluster", "raw_buffer")],
        "virtualInbound": [(0, "InboundPassthroughCluster", "raw_buffer")],
        "0.0.0.0_8080": [(8080, "http inbound|8080||", "raw_buffer")],
        "0.0.0.0_8081": [
            (8081, "http inbound|8081||", "raw_buffer"),
            (8081, "inbound|8081||", "raw_buffer"),
        ],
        "0.0.0.0_9000": [(9000, "inbound|9000||", "raw_buffer")],
    }


def test_declared_protocols_are_not_sniffed() -> None:
    listener = Workload(((8080, P.HTTP), (9000, P.TCP), (8081, P.AUTO))).listeners()[
        "virtualInbound"
    ]
    rules = [
        {"destination_port_range": {"start": port, "end": port + 1}} for port in (8080, 9000, 15006)
    ]
    assert disabled(listener) == {
        "original_dst": None,
        "http_inspector": {"or_match": {"rules": rules}},
    }


def test_http_has_one_route_to_the_workload() -> None:
    listener = plain(Workload(((8080, P.HTTP2),)).listeners()["virtualInbound"])
    [manager] = [
        c["filters"][0]["typed_config"]
        for c in listener["filter_chains"]
        if c["name"] == "0.0.0.0_8080"
    ]
    [host] = manager["route_config"]["virtual_hosts"]
    assert (host["name"], host["domains"]) == ("inbound|http|8080", ["*"])
    assert host["routes"][0]["decorator"]["operation"] == "s8080.ns.svc.cluster.local:8080/*"
    assert host["routes"][0]["route"]["cluster"] == "inbound|8080||"
    assert manager["server_name"] == "istio-envoy"
    assert manager["forward_client_cert_details"] == "APPEND_FORWARD"
    assert manager["http2_protocol_options"] == {}


def test_the_oldest_service_decides_a_port() -> None:
    workload = Workload(((8080, P.TCP), (8080, P.HTTP)))
    assert chains(workload.listeners()["virtualInbound"])["0.0.0.0_8080"] == [
        (8080, "inbound|8080||", "raw_buffer")
    ]


def test_ports_of_the_proxy_are_not_served() -> None:
    world = ListenerMesh(traits={"reserved_ports": frozenset({15021})})
    found = chains(
        Workload(((15021, P.TCP), (15006, P.TCP)), world=world).listeners()["virtualInbound"]
    )
    assert not any(name.startswith("0.0.0.0") for name in found)


def test_ingress_replaces_the_ports_of_services() -> None:
    entry = {
        "port": {"number": 7000, "protocol": "HTTP", "name": "x"},
        "defaultEndpoint": "127.0.0.1:8080",
    }
    listener = Workload(((8080, P.HTTP),), (entry,)).listeners()["virtualInbound"]
    assert "0.0.0.0_8080" not in chains(listener)
    [chain] = [c for c in listener.filter_chains if c.name == "0.0.0.0_7000"]
    key = "/apis/networking.istio.io/v1/namespaces/ns/sidecar/side"
    assert plain(chain.metadata)["filter_metadata"]["istio"]["config"] == key


def test_ingress_may_bind() -> None:
    entry = {
        "port": {"number": 7000, "protocol": "TCP", "name": "x"},
        "captureMode": "NONE",
        "bind": "10.0.0.9",
    }
    found = Workload((), (entry,)).listeners()
    assert set(found) == {"virtualInbound", "10.0.0.9_7000"}
    assert [f.name for f in found["10.0.0.9_7000"].listener_filters] == []


def test_without_interception_only_ingress_is_served() -> None:
    world = ListenerMesh(traits={"interception": Interception.NONE})
    assert Workload(((8080, P.HTTP),), world=world).listeners() == {}
    entry = {"port": {"number": 7000, "protocol": "HTTP", "name": "x"}}
    assert set(Workload((), (entry,), "10.0.0.5", world).listeners()) == {"10.0.0.5_7000"}


def test_ingress_may_terminate_tls() -> None:
    tls = {
        "mode": "MUTUAL",
        "serverCertificate": "/c.pem",
        "privateKey": "/k.pem",
        "caCertificates": "/ca.pem",
    }
    entry = {"port": {"number": 7000, "protocol": "HTTPS", "name": "x"}, "tls": tls}
    assert "0.0.0.0_7000" in chains(Workload((), (entry,)).listeners()["virtualInbound"])
    listener = Workload(
        (), (entry,), settings=Settings(enable_tls_on_sidecar_ingress=True)
    ).listeners()["virtualInbound"]
    assert chains(listener)["0.0.0.0_7000"] == [(7000, "http inbound|7000||", "tls")]
    inside = {"destination_port_range": {"start": 7000, "end": 7001}}
    assert disabled(listener)["tls_inspector"] == {"not_match": inside}
    [chain] = [c for c in plain(listener)["filter_chains"] if c["name"] == "0.0.0.0_7000"]
    common = chain["transport_socket"]["typed_config"]["common_tls_context"]
    assert [s["name"] for s in common["tls_certificate_sds_secret_configs"]] == [
        "file-cert:/c.pem~/k.pem"
    ]


def test_tproxy_keeps_addresses() -> None:
    listener = Workload(
        world=ListenerMesh(traits={"interception": Interception.TPROXY})
    ).listeners()["virtualInbound"]
    assert listener.transparent.value
    assert [f.name.rpartition(".")[2] for f in listener.listener_filters][:2] == [
        "original_dst",
        "original_src",
    ]


def test_goldens(golden: Golden) -> None:
    world = ListenerMesh(mesh={"accessLogFile": "/dev/stdout", "accessLogEncoding": "JSON"})
    golden(
        "inbound",
        Workload(((8080, P.HTTP), (8081, P.AUTO), (9000, P.TCP)), world=world).listeners().values(),
    )
