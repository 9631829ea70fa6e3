"""Whole views from manifests."""

import json

from varka.base.settings import Settings
from varka.envoy.compiler import Compiler
from varka.envoy.dump import to_json
from varka.envoy.resource import TypeUrl
from varka.proxy.node import Proxy, from_document
from varka.resources.load import load
from varka.resources.meshconfig import default_mesh_config
from varka.store.state import State

SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: a}
spec: {clusterIP: 10.0.0.1, ports: [{name: http, port: 80}]}
"""
FILTER = """
---
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: patch}
spec:
  configPatches:
  - applyTo: VIRTUAL_HOST
    match: {routeConfiguration: {vhost: {name: "a.default.svc.cluster.local:80"}}}
    patch: {operation: MERGE, value: {include_attempt_count_in_response: true}}
  - applyTo: CLUSTER
    match: {cluster: {name: nothing-has-this-name}}
    patch: {operation: MERGE, value: {lb_policy: RANDOM}}
  - applyTo: CLUSTER
    patch: {operation: MERGE, value: {connect_timeout: -1s}}
"""


def compiled(text: str) -> Compiler:
    loaded = load([("a.yaml", text)])
    compiler = Compiler(default_mesh_config(), Settings())
    compiler.update(State().updated((r, loaded.places[r.key]) for r in loaded.resources))
    return compiler


def client(name: str = "client") -> Proxy:
    return from_document({"name": name, "type": "sidecar", "namespace": "default", "ip_addresses": ["10.1.0.9"]})


def test_equal_proxies_share_a_view_and_an_equal_state_keeps_it() -> None:
    compiler = compiled(SERVICE)
    view = compiler.view(client("one"))
    assert compiler.view(client("two")) is view


def test_a_patch_hits_or_is_set_aside_by_itself() -> None:
    compiler = compiled(SERVICE + FILTER)
    view = compiler.view(client())
    assert sorted(patch.index for patch in view.hits) == [0]
    assert {(d.object.name if d.object else "", d.path) for d in view.diagnostics} == {
        ("patch", "spec.configPatches[2].patch.value")
    }


def test_patches_reach_routes_that_are_asked_for_by_name() -> None:
    compiler = compiled(
        SERVICE + FILTER.replace("  - applyTo: CLUSTER\n    patch: {operation: MERGE, value: {connect_timeout: -1s}}\n", "")
    )
    text = json.dumps(to_json(compiler.route(client(), "80")))
    assert "include_attempt_count_in_response" in text
    found = compiler.view(client()).get(TypeUrl.ROUTE, "80")
    assert found is not None
    assert compiler.route(client(), "80").version == found.version
