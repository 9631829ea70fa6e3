"""Selectors that select nobody, and those whose pods are being started."""

from __future__ import annotations

import pytest

from varka.analyze.findings import findings
from varka.base.settings import Settings
from varka.envoy.resource import View
from varka.resources.load import load
from varka.store.state import State

GATEWAY = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: g}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: f}
spec:
  workloadSelector: {labels: {istio: ingressgateway}}
  configPatches:
  - applyTo: CLUSTER
    match: {cluster: {name: nothing-has-this-name}}
    patch: {operation: MERGE, value: {lb_policy: RANDOM}}
"""
DEPLOYMENT = """
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: istio-ingressgateway, namespace: istio-system}
spec:
  replicas: REPLICAS
  selector: {matchLabels: {istio: ingressgateway}}
  template:
    metadata: {labels: {app: istio-ingressgateway, istio: ingressgateway}}
    spec: {containers: [{name: istio-proxy, image: auto}]}
"""
POD = """
---
apiVersion: v1
kind: Pod
metadata:
  name: p
  namespace: istio-system
  labels: {app: istio-ingressgateway, istio: ingressgateway}
status: {podIP: 10.0.0.1, conditions: [{type: Ready, status: "READY"}]}
"""


@pytest.mark.parametrize(
    ("others", "told"),
    [
        ("", {"V7011", "V7002"}),
        (DEPLOYMENT.replace("REPLICAS", "0"), {"V7011", "V7002"}),
        (DEPLOYMENT.replace("REPLICAS", "1"), set()),
        (DEPLOYMENT.replace("REPLICAS", "1") + POD.replace("READY", "False"), set()),
        (DEPLOYMENT.replace("REPLICAS", "1") + POD.replace("READY", "True"), {"V7002"}),
    ],
    ids=["nobody", "none wanted", "wanted", "not ready", "ready without a proxy"],
)
def test_who_is_being_started_is_waited_for(others: str, told: set[str]) -> None:
    loaded = load([("f.yaml", GATEWAY + others)])
    assert not [d for d in loaded.diagnostics if d.severity == "error"]
    state = State().updated((r, loaded.places[r.key]) for r in loaded.resources)
    found = findings(state, (View(),), (), ({"app": "other"},), Settings())
    assert {d.code for d in found} == told
