"""One changed VirtualService of many at a gateway, counted."""

from __future__ import annotations

from varka.base.settings import Settings
from varka.envoy.compiler import Compiler
from varka.envoy.resource import TypeUrl
from varka.proxy.node import from_document
from varka.resources.load import load
from varka.resources.meshconfig import default_mesh_config
from varka.store.state import State

HOSTS = 20
GATEWAY = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: g{i}}}
spec:
  selector: {{istio: ingressgateway}}
  servers:
  - port: {{number: 443, name: https, protocol: HTTPS}}
    hosts: [h{i}.test]
    tls: {{mode: SIMPLE, credentialName: c}}
"""
RULE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: h{i}}}
spec: {{hosts: [h{i}.test], gateways: [g{i}], http: [{{directResponse: {{status: {status}}}}}]}}
"""


def loaded(state: State, *texts: str) -> State:
    found = load([("mesh.yaml", "---\n".join(texts))])
    return state.updated((r, found.places[r.key]) for r in found.resources)


def test_one_changed_rule_makes_one_route_configuration_again() -> None:
    compiler = Compiler(default_mesh_config(), Settings())
    proxy = from_document(
        {"type": "router", "namespace": "istio-system", "labels": {"istio": "ingressgateway"}}
    )
    every = (
        text for i in range(HOSTS) for text in (GATEWAY.format(i=i), RULE.format(i=i, status=200))
    )
    state = loaded(State(), *every)
    compiler.update(state)
    before = compiler.view(proxy)
    made = dict(compiler.memo.made)
    assert made["varka.envoy.routes.gateway.servers_route"] == HOSTS
    compiler.update(loaded(state, RULE.format(i=7, status=201)))
    after = compiler.view(proxy)
    assert compiler.memo.made["varka.envoy.routes.gateway.servers_route"] == HOSTS + 1
    assert (
        compiler.memo.made["varka.envoy.listeners.gateway.gateway_listener"]
        == made["varka.envoy.listeners.gateway.gateway_listener"]
    )
    changed = [
        new.name
        for old, new in zip(before.of(TypeUrl.ROUTE), after.of(TypeUrl.ROUTE), strict=True)
        if old is not new
    ]
    assert changed == ["https.443.https.g7.default"]
