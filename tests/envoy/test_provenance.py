"""What is sent knows the field that it was made from, and nothing is made again when lines move."""

from __future__ import annotations

from tests.present import present

from varka.analyze.provenance import made_from
from varka.base.names import FieldOrigin, ObjectKey
from varka.base.settings import Settings
from varka.envoy.compiler import Compiler
from varka.envoy.resource import EnvoyResource, TypeUrl
from varka.envoy.routes.configuration import PlannedConfiguration
from varka.envoy.routes.virtual_host import PlannedHost
from varka.proxy.node import from_document
from varka.resources.load import load
from varka.resources.meshconfig import default_mesh_config
from varka.store.store import Store

MESH = """
apiVersion: v1
kind: Service
metadata: {name: a, namespace: default}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: a, namespace: default}
spec:
  host: a
  trafficPolicy: {connectionPool: {tcp: {maxConnections: 1}}}
  subsets:
  - {name: v1, labels: {version: v1}}
  - {name: v2, labels: {version: v2}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: root, namespace: default}
spec:
  hosts: [a]
  http:
  - match: [{uri: {exact: /x}}, {uri: {exact: /y}}]
    route:
    - {destination: {host: a, subset: v1}, weight: 0}
    - {destination: {host: a, subset: v2}, weight: 100}
  - match: [{uri: {prefix: /team}}]
    delegate: {name: team}
  - redirect: {uri: /z}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: team, namespace: default}
spec:
  http:
  - match: [{uri: {prefix: /other}}]
    route: [{destination: {host: a}}]
  - match: [{uri: {prefix: /team/a}}]
    route: [{destination: {host: a}}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: i, namespace: default, annotations: {kubernetes.io/ingress.class: istio}}
spec:
  rules:
  - host: i.example.com
    http:
      paths:
      - {path: /short, pathType: Prefix, backend: {service: {name: a, port: {number: 80}}}}
      - {path: /much/longer, pathType: Prefix, backend: {service: {name: a, port: {number: 80}}}}
"""
LINES = MESH.splitlines()
DELEGATED = LINES.index("  - match: [{uri: {prefix: /team/a}}]") + 1
HTTP = LINES.index("  - match: [{uri: {exact: /x}}, {uri: {exact: /y}}]")
ROOT = ObjectKey("networking.istio.io", "VirtualService", "default", "root")
TEAM = ROOT._replace(name="team")
RULE = ObjectKey("networking.istio.io", "DestinationRule", "default", "a")
SIDECAR = from_document({"namespace": "default"})
ROUTER = from_document(
    {"namespace": "istio-system", "type": "router", "labels": {"istio": "ingressgateway"}}
)


class Mesh:
    """A compiler that follows one file."""

    def __init__(self) -> None:
        self.store, self.compiler = Store(), Compiler(default_mesh_config(), Settings())

    def read(self, text: str) -> Mesh:
        loaded = load([("m.yaml", text)])
        assert len(loaded.resources) == 5
        written = ((r, loaded.places[r.key]) for r in loaded.resources)
        self.compiler.update(self.store.replace("file", written).state)
        return self

    def sidecar(self, type_: TypeUrl, name: str) -> EnvoyResource:
        return present(self.compiler.view(SIDECAR).get(type_, name))

    def origin(self, resource: EnvoyResource, key: ObjectKey) -> str:
        return str(dict(made_from(resource, self.store.state))[key])


def host_of(resource: EnvoyResource, name: str) -> PlannedHost:
    assert isinstance(resource.planned, PlannedConfiguration)
    found = next(host for host in resource.planned.hosts if host.name.startswith(name))
    assert isinstance(found.planned, PlannedHost)
    return found.planned


def test_routes_know_where_they_stand() -> None:
    host = host_of(Mesh().read(MESH).sidecar(TypeUrl.ROUTE, "80"), "a.default")
    first, second, delegated, last = host.routes
    field = FieldOrigin(ROOT, ("spec", "http", 0))
    assert (first.field, first.match, second.match) == (
        field,
        field.at("match", 0),
        field.at("match", 1),
    )
    cluster = "outbound|80|v2|a.default.svc.cluster.local"
    assert first.destinations == ((cluster, 100, field.at("route", 1)),)
    assert delegated.field == FieldOrigin(TEAM, ("spec", "http", 1))
    assert (last.field, last.match, last.destinations) == (
        FieldOrigin(ROOT, ("spec", "http", 2)),
        None,
        (),
    )


def test_routes_of_an_ingress_know_its_paths() -> None:
    view = Mesh().read(MESH).compiler.view(ROUTER)
    host = host_of(present(view.get(TypeUrl.ROUTE, "http.80")), "i.example.com")
    ingress = ObjectKey("networking.k8s.io", "Ingress", "default", "i")
    paths = FieldOrigin(ingress, ("spec", "rules", 0, "http", "paths"))
    assert host.fields == (paths.at(1), paths.at(0)), "the longer path comes first"


def test_clusters_know_their_subset_and_policy() -> None:
    mesh = Mesh().read(MESH)
    cluster = mesh.sidecar(TypeUrl.CLUSTER, "outbound|80|v2|a.default.svc.cluster.local")
    assert [field for field in present(cluster.planned).fields if field.key == RULE] == [
        FieldOrigin(RULE, ("spec", "subsets", 1)),
        FieldOrigin(RULE, ("spec", "trafficPolicy")),
    ]


def test_a_rejected_resource_leads_to_the_line() -> None:
    mesh = Mesh().read(MESH)
    assert mesh.origin(mesh.sidecar(TypeUrl.ROUTE, "80"), TEAM) == f"m.yaml:{DELEGATED}:5"
    assert mesh.origin(mesh.sidecar(TypeUrl.ROUTE, "80"), ROOT) == f"m.yaml:{HTTP}:3"


def test_moved_lines_make_nothing_again() -> None:
    mesh = Mesh().read(MESH)
    before, made = mesh.compiler.view(SIDECAR), dict(mesh.compiler.memo.made)
    mesh.read("\n\n" + MESH)
    assert mesh.compiler.view(SIDECAR) is before
    assert mesh.compiler.memo.made == made
    assert mesh.origin(mesh.sidecar(TypeUrl.ROUTE, "80"), TEAM) == f"m.yaml:{DELEGATED + 2}:5"
