"""What resources know beside their bytes: fields they follow from, and secrets they name."""

from __future__ import annotations

import pytest

from varka.base.names import FieldOrigin, ObjectKey
from varka.base.settings import Settings
from varka.envoy.compiler import Compiler
from varka.envoy.dump import message_of
from varka.envoy.listeners.chains import TcpTarget
from varka.envoy.listeners.gateway import GatewayListener
from varka.envoy.listeners.merge import Planned
from varka.envoy.references import named_secrets
from varka.envoy.resource import TypeUrl, View
from varka.proxy.node import from_document
from varka.resources.load import load
from varka.resources.meshconfig import default_mesh_config
from varka.store.store import Store

CONFIG = """
apiVersion: v1
kind: Service
metadata: {name: db, namespace: ns}
spec: {clusterIP: 10.0.0.1, ports: [{name: tcp, port: 3306}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: db, namespace: ns}
spec:
  hosts: [db]
  tcp:
  - match: [{port: 1}]
    route: [{destination: {host: db}}]
  - route:
    - {destination: {host: db, subset: v1}, weight: 90}
    - {destination: {host: db, subset: v2}, weight: 10}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: ns}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 80, name: http, protocol: HTTP}, hosts: [a.test]}
  - {port: {number: 443, name: https, protocol: HTTPS}, hosts: [a.test],
     tls: {mode: MUTUAL, credentialName: cert}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: out, namespace: ns}
spec:
  host: db
  workloadSelector: {matchLabels: {app: client}}
  trafficPolicy: {tls: {mode: MUTUAL, credentialName: client}}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: bound, namespace: ns}
spec:
  workloadSelector: {labels: {app: client}}
  ingress:
  - {port: {number: 9000, name: http, protocol: HTTP}, defaultEndpoint: "127.0.0.1:9000",
     captureMode: NONE, bind: 10.9.0.1}
"""
SIDECAR = from_document(
    {"namespace": "ns", "labels": {"app": "client"}, "ip_addresses": ["10.9.0.1"]}
)
GATEWAY = from_document(
    {"type": "router", "namespace": "ns", "labels": {"istio": "ingressgateway"}}
)


class World:
    def __init__(self) -> None:
        self.store, self.compiler = Store(), Compiler(default_mesh_config(), Settings())

    def apply(self, text: str) -> tuple[View, View]:
        found = load([("mesh.yaml", text)])
        assert not found.diagnostics
        written = self.store.write("test", [(r, found.places[r.key]) for r in found.resources])
        self.compiler.update(written.state)
        return self.compiler.view(SIDECAR), self.compiler.view(GATEWAY)


@pytest.fixture
def world() -> World:
    return World()


def key(kind: str, name: str) -> ObjectKey:
    return ObjectKey("networking.istio.io", kind, "ns", name)


def test_a_filter_chain_knows_its_route_and_its_destinations(world: World) -> None:
    sidecar, _ = world.apply(CONFIG)
    listener = sidecar.get(TypeUrl.LISTENER, "10.0.0.1_3306")
    assert listener is not None
    planned = listener.planned
    assert isinstance(planned, Planned)
    rule = FieldOrigin(key("VirtualService", "db"), ("spec", "tcp", 1))
    assert planned.fields[0] == rule
    target = planned.chains[0].target
    assert isinstance(target, TcpTarget)
    assert [(one.weight, one.field) for one in target.clusters] == [
        (90, rule.at("route", 0)),
        (10, rule.at("route", 1)),
    ]


def test_a_gateway_chain_knows_its_server(world: World) -> None:
    _, gateway = world.apply(CONFIG)
    found = {
        resource.planned.port: resource.planned.fields
        for resource in gateway.of(TypeUrl.LISTENER)
        if isinstance(resource.planned, GatewayListener)
    }
    server = FieldOrigin(key("Gateway", "gw"), ("spec", "servers"))
    assert found == {80: (server.at(0),), 443: (server.at(1),)}


def test_an_inbound_listener_knows_its_entry_of_the_sidecar(world: World) -> None:
    sidecar, _ = world.apply(CONFIG)
    listener = sidecar.get(TypeUrl.LISTENER, "10.9.0.1_9000")
    assert listener is not None
    assert listener.inbound
    assert listener.planned is not None
    assert listener.planned.fields == (
        FieldOrigin(key("Sidecar", "bound"), ("spec", "ingress", 0)),
    )


def test_resources_name_their_secrets_without_being_decoded(world: World) -> None:
    seen: set[str] = set()
    for view in world.apply(CONFIG):
        for type_ in (TypeUrl.CLUSTER, TypeUrl.LISTENER):
            for resource in view.of(type_):
                assert resource.secrets == named_secrets(message_of(resource)), resource.name
                seen |= resource.secrets
    assert {"kubernetes://cert", "kubernetes://cert-cacert", "kubernetes://client"} <= seen


def test_moved_lines_make_nothing_again(world: World) -> None:
    before = world.apply(CONFIG)
    made = dict(world.compiler.memo.made)
    after = world.apply("\n\n" + CONFIG)
    assert all(new is old for new, old in zip(after, before, strict=True))
    assert world.compiler.memo.made == made


def test_a_route_before_others_makes_only_their_listener_again(world: World) -> None:
    before, _ = world.apply(CONFIG)
    made = dict(world.compiler.memo.made)
    name = "varka.envoy.listeners.build.outbound_listener"
    after, _ = world.apply(
        CONFIG.replace(
            "  tcp:\n", "  tcp:\n  - match: [{port: 2}]\n    route: [{destination: {host: db}}]\n"
        )
    )
    assert world.compiler.memo.made[name] == made[name] + 1
    old, new = (view.get(TypeUrl.LISTENER, "10.0.0.1_3306") for view in (before, after))
    assert old is not None
    assert new is not None
    assert old.version == new.version
    assert new.planned is not None
    assert new.planned.fields[0].path == ("spec", "tcp", 2)
