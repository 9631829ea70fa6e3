"""Whole views from manifests."""

import json

import pytest

from varka.base.names import ObjectKey
from varka.base.settings import Settings
from varka.envoy.compiler import Compiler
from varka.envoy.dump import to_json
from varka.envoy.resource import Form, TypeUrl
from varka.proxy.from_pod import proxy_of_pod
from varka.proxy.node import Proxy, from_document
from varka.resources.load import load
from varka.resources.meshconfig import default_mesh_config
from varka.resources.model.mesh import MeshConfig
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
    return from_document(
        {"name": name, "type": "sidecar", "namespace": "default", "ip_addresses": ["10.1.0.9"]}
    )


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
        SERVICE
        + FILTER.replace(
            "  - applyTo: CLUSTER\n    patch: {operation: MERGE, value: {connect_timeout: -1s}}\n",
            "",
        )
    )
    text = json.dumps(to_json(compiler.route(client(), "80")))
    assert "include_attempt_count_in_response" in text
    found = compiler.view(client()).get(TypeUrl.ROUTE, "80")
    assert found is not None
    assert compiler.route(client(), "80").version == found.version


def test_a_patched_route_configuration_and_its_patched_virtual_hosts_travel_as_before() -> None:
    patch = (
        FILTER
        + """
  - applyTo: ROUTE_CONFIGURATION
    patch: {operation: MERGE, value: {response_headers_to_remove: [x]}}
"""
    )
    compiler = compiled(SERVICE + patch)
    view = compiler.view(client(), frozenset({("80", Form.BY_VIRTUAL_HOST)}))
    (route,), (host,) = view.of(TypeUrl.ROUTE), view.of(TypeUrl.VIRTUAL_HOST)
    assert to_json(route)["response_headers_to_remove"] == ["x"]
    assert "vhds" in to_json(route)
    assert route.form is Form.BY_VIRTUAL_HOST
    assert to_json(host)["include_attempt_count_in_response"]
    assert (host.name, to_json(host)["name"]) == ("80/a.default.svc.cluster.local:80",) * 2


def test_proxies_share_a_view_whatever_form_they_were_asked_to_keep_when_it_is_the_same() -> None:
    compiler = compiled(SERVICE)
    assert compiler.view(client("one"), frozenset({("80", Form.WHOLE)})) is compiler.view(
        client("two")
    )
    alone = frozenset({("80", Form.BY_VIRTUAL_HOST)})
    assert compiler.view(client("one"), alone) is compiler.view(client("two"), alone)


PLACES = """
---
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {topology.kubernetes.io/region: r1}}
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec: {nodeName: n1, containers: [{name: a}]}
status: {podIP: 10.1.0.9}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: a, labels: {kubernetes.io/service-name: a}}
ports: [{name: http, port: 80}]
endpoints:
- {addresses: [10.1.0.1], targetRef: {kind: Pod, name: far}}
- {addresses: [10.1.0.2], targetRef: {kind: Pod, name: near}}
---
apiVersion: v1
kind: Pod
metadata: {name: far}
spec: {nodeName: n2, containers: [{name: a}]}
status: {podIP: 10.1.0.1}
---
apiVersion: v1
kind: Pod
metadata: {name: near}
spec: {nodeName: n1, containers: [{name: a}]}
status: {podIP: 10.1.0.2}
"""
FAILOVER = """
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: a}
spec:
  host: a
  trafficPolicy: {outlierDetection: {}, loadBalancer: {localityLbSetting: {enabled: true}}}
"""


def priorities(compiler: Compiler, proxy: Proxy) -> dict[str, int]:
    resource = compiler.view(proxy).get(
        TypeUrl.ENDPOINTS, "outbound|80||a.default.svc.cluster.local"
    )
    assert resource is not None
    return {
        endpoint["endpoint"]["address"]["socket_address"]["address"]: place.get("priority", 0)
        for place in to_json(resource)["endpoints"]
        for endpoint in place["lb_endpoints"]
    }


def test_a_client_is_where_the_node_of_its_pod_is() -> None:
    assert priorities(compiled(SERVICE + PLACES + FAILOVER), client()) == {
        "10.1.0.1": 1,
        "10.1.0.2": 0,
    }


def test_a_service_may_prefer_the_node_of_the_client() -> None:
    service = SERVICE.replace("spec: {", "spec: {trafficDistribution: PreferSameNode, ")
    moved = PLACES.replace("topology.kubernetes.io/region: r1", "a: b")
    compiler = compiled(service + moved)
    pod = compiler.snapshot.find(ObjectKey("", "Pod", "default", "client"))
    assert pod is not None
    assert priorities(compiler, proxy_of_pod(pod)) == {"10.1.0.1": 1, "10.1.0.2": 0}


def test_an_update_that_fails_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = Compiler(default_mesh_config(), Settings())
    snapshot, config = compiler.snapshot, compiler.config

    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("varka.envoy.compiler.take", broken)
    with pytest.raises(RuntimeError):
        compiler.update(State(), MeshConfig())
    assert (compiler.snapshot, compiler.config) == (snapshot, config)
