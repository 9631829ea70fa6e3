"""Work is bounded by the change: what one change makes again, encodes and sends, counted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from varka.base.diagnostic import Severity
from varka.base.settings import Settings
from varka.envoy.compiler import Compiler
from varka.envoy.resource import EnvoyResource, TypeUrl, View
from varka.proxy.node import Proxy, from_document
from varka.resources.check import check_object
from varka.resources.load import load_text
from varka.resources.meshconfig import default_mesh_config
from varka.resources.resource import Resource
from varka.store.store import Store
from varka.xds.delta import DeltaStream
from varka.xds.messages import DeltaRequest
from varka.xds.responses import Responses

NAMESPACES = ("a", "b", "c", "d")
SERVICES = 15
"""In each namespace."""

SERVICE = """
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: {ns}}}
spec:
  clusterIP: {vip}
  selector: {{app: {name}}}
  ports: [{{name: http, port: 80, targetPort: 8080}}, {{name: tcp, port: {tcp}}}]
---
"""
SLICE = """
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: {name}-1, namespace: {ns}, labels: {{kubernetes.io/service-name: {name}}}}}
addressType: IPv4
endpoints: [{{addresses: [{address}], conditions: {{ready: true}}}}]
ports: [{{name: http, port: 8080}}, {{name: tcp, port: 3306}}]
---
"""
RULE = """
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: {name}, namespace: {ns}}}
spec:
  host: {name}
  subsets: [{{name: v1, labels: {{version: v1}}}}, {{name: v2, labels: {{version: v2}}}}]
---
"""
ROUTES = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {name}, namespace: {ns}}}
spec:
  hosts: [{name}]
  http:
  - route:
    - {{destination: {{host: {name}, subset: v1}}, weight: {weight}}}
    - {{destination: {{host: {name}, subset: v2}}, weight: {rest}}}
---
"""


def service(name: str, ns: str, number: int) -> str:
    return SERVICE.format(name=name, ns=ns, vip=f"10.0.{number}.1", tcp=3000 + number) + endpoints(
        name, ns, f"10.1.{number}.1"
    )


def endpoints(name: str, ns: str, address: str) -> str:
    return SLICE.format(name=name, ns=ns, address=address)


def routes(name: str, ns: str, weight: int) -> str:
    return RULE.format(name=name, ns=ns) + ROUTES.format(
        name=name, ns=ns, weight=weight, rest=100 - weight
    )


def everything() -> str:
    """60 services in 4 namespaces; the first of each namespace has subsets and weights."""
    found = [
        service(f"s{n}", ns, at * 50 + n)
        for at, ns in enumerate(NAMESPACES)
        for n in range(SERVICES)
    ]
    return "".join((*found, *(routes("s0", ns, 50) for ns in NAMESPACES)))


class Mesh:
    """One compiler over a state that changes; a proxy in each namespace."""

    def __init__(self) -> None:
        self.store = Store()
        self.compiler = Compiler(default_mesh_config(), Settings())
        self.proxies = [sidecar(ns) for ns in NAMESPACES]
        self.apply(everything())
        self.before = self.views()

    def apply(self, text: str) -> None:
        part = load_text("mesh.yaml", text)
        assert not [d.message for d in part.diagnostics if d.severity is Severity.ERROR]
        self.compiler.update(
            self.store.write("test", [(r, place) for r, place in part.objects]).state
        )

    def views(self) -> list[View]:
        return [self.compiler.view(proxy) for proxy in self.proxies]

    def made_again(self, text: str) -> set[tuple[TypeUrl, str]]:
        """Type and name of the resources, of all views together, that are other objects after a
        change."""
        old = set(resources(self.before))
        self.apply(text)
        return {(r.type, r.name) for r in set(resources(self.views())) - old}


def sidecar(namespace: str, **labels: str) -> Proxy:
    return from_document({"namespace": namespace, "labels": labels, "ip_addresses": ["10.9.0.1"]})


def resources(views: Iterable[View]) -> Iterable[EnvoyResource]:
    return (r for view in views for type_ in TypeUrl for r in view.of(type_))


@pytest.fixture
def mesh() -> Mesh:
    return Mesh()


def runs(mesh: Mesh, before: dict[str, int]) -> dict[str, int]:
    """How often functions ran since; those that did not are left out."""
    return {
        name: n - before.get(name, 0)
        for name, n in mesh.compiler.memo.made.items()
        if n != before.get(name, 0)
    }


RESOURCES = {
    "varka.envoy.endpoints.load_assignment",
    "varka.envoy.clusters.outbound.outbound_cluster_resource",
    "varka.envoy.listeners.build.outbound_listener",
    "varka.envoy.routes.virtual_host.virtual_host",
    "varka.envoy.routes.sidecar.sidecar_route",
    "varka.envoy.portions.sidecar.workload_portion",
}
"""Functions that make what is sent."""


def test_an_endpoint_makes_its_load_assignments_and_nothing_else(mesh: Mesh) -> None:
    before = dict(mesh.compiler.memo.made)
    assert before.keys() >= RESOURCES
    again = mesh.made_again(endpoints("s0", "a", "10.1.0.2"))
    hosts = "s0.a.svc.cluster.local"
    wanted = {
        f"outbound|{port}|{subset}|{hosts}" for port in (80, 3000) for subset in ("", "v1", "v2")
    }
    assert again == {(TypeUrl.ENDPOINTS, name) for name in wanted}
    made = runs(mesh, before)
    assert made["varka.envoy.endpoints.load_assignment"] == len(wanted)
    assert made.keys().isdisjoint(RESOURCES - {"varka.envoy.endpoints.load_assignment"})


def test_a_weight_makes_the_virtual_hosts_that_contain_it(mesh: Mesh) -> None:
    before = dict(mesh.compiler.memo.made)
    again = mesh.made_again(routes("s0", "a", 60))
    assert again == {(TypeUrl.ROUTE, "80")}
    # In the service's own namespace the virtual host has short names more than elsewhere.
    assert runs(mesh, before)["varka.envoy.routes.virtual_host.virtual_host"] == 2


def test_a_label_that_no_rule_selects_makes_no_new_view(mesh: Mesh) -> None:
    assert mesh.compiler.view(sidecar("a", colour="blue")) is mesh.before[0]


CHANGES = (endpoints("s0", "a", "10.1.0.2"), routes("s0", "a", 60), service("new", "a", 250))


@pytest.mark.parametrize("change", CHANGES, ids=["endpoint", "weight", "service"])
def test_a_change_makes_nothing_for_further_proxies(mesh: Mesh, change: str) -> None:
    before = dict(mesh.compiler.memo.made)
    mesh.made_again(change)
    alone = runs(mesh, before)
    crowd = Mesh()
    crowd.proxies += [sidecar(ns, number=str(n)) for ns in NAMESPACES[1:] for n in range(5)]
    crowd.before = crowd.views()
    before = dict(crowd.compiler.memo.made)
    crowd.made_again(change)
    # Who is in which audience is looked up for each proxy when what its scope sees changes.
    assert {
        **runs(crowd, before),
        "varka.envoy.viewkey.view_key_of": alone["varka.envoy.viewkey.view_key_of"],
    } == alone


TELEMETRY = """
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {name: t, namespace: a}
spec:
  selector: {matchLabels: {app: logged}}
  accessLogging: [{providers: [{name: envoy}]}]
---
"""


def test_proxies_of_different_telemetry_share_all_but_listeners(mesh: Mesh) -> None:
    mesh.apply(everything() + TELEMETRY)
    silent, logged = (mesh.compiler.view(sidecar("a", app=app)) for app in ("silent", "logged"))
    same = (TypeUrl.CLUSTER, TypeUrl.ENDPOINTS, TypeUrl.ROUTE, TypeUrl.VIRTUAL_HOST)
    for type_ in same:
        pairs = zip(silent.shared.layers[type_], logged.shared.layers[type_], strict=True)
        assert all(one is other for one, other in pairs), type_
    assert silent.shared.layers[TypeUrl.LISTENER] != logged.shared.layers[TypeUrl.LISTENER]


HEADLESS = """
apiVersion: v1
kind: Service
metadata: {name: db, namespace: a}
spec: {clusterIP: None, selector: {app: db}, ports: [{name: tcp, port: 3306}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: db-1, namespace: a, labels: {kubernetes.io/service-name: db}}
addressType: IPv4
endpoints:
- {addresses: [10.7.0.1], conditions: {ready: true}}
- {addresses: [ADDRESS], conditions: {ready: true}}
ports: [{name: tcp, port: TARGET}]
---
"""


def headless(target: int = 1, address: str = "10.7.0.2") -> str:
    return HEADLESS.replace("TARGET", str(target)).replace("ADDRESS", address)


def test_listeners_depend_on_nothing_of_headless_endpoints_but_addresses(mesh: Mesh) -> None:
    mesh.apply(everything() + headless())
    mesh.before = mesh.views()
    before = dict(mesh.compiler.memo.made)
    assert not [n for type_, n in mesh.made_again(headless(2)) if type_ is TypeUrl.LISTENER]
    made = runs(mesh, before)
    assert made["varka.registry.endpoints.listed"] == 1
    assert "varka.envoy.listeners.outbound.outbound_layers" not in made
    mesh.before = mesh.views()
    again = mesh.made_again(headless(2, "10.7.0.3"))
    assert {name for type_, name in again if type_ is TypeUrl.LISTENER} == {"10.7.0.3_3306"}


def test_a_moved_line_changes_nothing(mesh: Mesh) -> None:
    before = dict(mesh.compiler.memo.made)
    mesh.apply("\n\n\n" + everything())
    assert all(new is old for new, old in zip(mesh.views(), mesh.before, strict=True))
    assert not runs(mesh, before)


@pytest.mark.parametrize("kind", ["Service", "EndpointSlice", "DestinationRule", "VirtualService"])
def test_an_api_servers_bookkeeping_and_statuses_make_nothing(mesh: Mesh, kind: str) -> None:
    """Every write to an object, whatever it wrote, comes with these."""
    before, state = dict(mesh.compiler.memo.made), mesh.store.state
    found = [resource for key, resource in state.resources.items() if key.kind == kind]
    assert found
    for number in range(2):
        change = mesh.store.write(
            "test", [(chatter(r, number), state.places[r.key]) for r in found]
        )
        assert not change
    assert mesh.store.state is state
    assert mesh.store.document(found[0].key)["metadata"]["resourceVersion"] == "1"
    mesh.compiler.update(mesh.store.state)
    assert all(new is old for new, old in zip(mesh.views(), mesh.before, strict=True))
    assert not runs(mesh, before)


def chatter(resource: Resource[Any], number: int) -> Resource[Any]:
    """The object as an API server sends it after a write of something else in it."""
    bookkeeping: dict[str, Any] = {
        "resourceVersion": str(number),
        "generation": number,
        "managedFields": [{"manager": "m", "time": f"2026-01-01T00:00:0{number}Z"}],
    }
    if resource.key.kind == "EndpointSlice":
        changed = "endpoints.kubernetes.io/last-change-trigger-time"
        bookkeeping["annotations"] = {changed: f"2026-01-01T00:00:0{number}Z"}
    raw = {
        **resource.raw,
        "metadata": {**resource.raw["metadata"], **bookkeeping},
        "status": {"observedGeneration": number, "loadBalancer": {"ingress": [{"ip": "10.0.0.9"}]}},
    }
    checked, _, findings = check_object(raw, resource.namespace)
    assert checked is not None, findings
    return checked


def test_a_new_service_makes_nothing_of_other_services_again(mesh: Mesh) -> None:
    again = mesh.made_again(service("new", "a", 250))
    others = {
        (type_, name)
        for type_, name in again
        if type_ in (TypeUrl.CLUSTER, TypeUrl.ENDPOINTS) and "|new." not in name
    }
    assert not others
    assert {name for type_, name in again if type_ is TypeUrl.LISTENER} == {"10.0.250.1_3250"}
    assert {name for type_, name in again if type_ is TypeUrl.ROUTE} == {"80"}


def connect(responses: Responses, view: View, *, known: bool) -> DeltaStream:
    """A client that asks for everything; `known`: it has all of it from an earlier stream."""
    stream = DeltaStream(responses, view)
    for type_ in (TypeUrl.CLUSTER, TypeUrl.ENDPOINTS, TypeUrl.LISTENER, TypeUrl.ROUTE):
        versions = {r.name: r.version for r in view.of(type_)}
        names = tuple(versions) if type_ in (TypeUrl.ENDPOINTS, TypeUrl.ROUTE) else ()
        stream.request(DeltaRequest(type_, subscribe=names, versions=versions if known else {}))
        drain(stream)
    return stream


def drain(stream: DeltaStream) -> int:
    """Take and accept all responses; how many there were."""
    times = 0
    while (response := stream.next()) is not None:
        times += 1
        stream.request(DeltaRequest(response.type, nonce=response.nonce))
    return times


def test_a_reconnect_of_a_proxy_that_has_everything_sends_nothing(mesh: Mesh) -> None:
    responses = Responses()
    assert connect(responses, mesh.before[0], known=True).in_sync()
    assert not responses.sent
    assert not responses.encoded


def test_a_change_is_encoded_once_for_all_proxies(mesh: Mesh) -> None:
    responses = Responses()
    streams = [connect(responses, mesh.before[0], known=False) for _ in range(5)]
    counted: tuple[dict[Any, int], dict[Any, int]] = (dict(responses.encoded), dict(responses.sent))
    mesh.apply(endpoints("s0", "a", "10.1.0.2"))
    for stream in streams:
        stream.update(mesh.compiler.view(mesh.proxies[0]))
        assert drain(stream) == 1
    encoded = {
        t: n - counted[0].get(t, 0)
        for t, n in responses.encoded.items()
        if n != counted[0].get(t, 0)
    }
    sent = {
        t: n - counted[1].get(t, 0) for t, n in responses.sent.items() if n != counted[1].get(t, 0)
    }
    # Two ports; the subsets, whose labels no endpoint has, stay empty: equal bytes are not sent.
    assert encoded == {TypeUrl.ENDPOINTS: 2}
    assert sent == {TypeUrl.ENDPOINTS: 2 * 5}
