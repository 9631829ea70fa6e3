from __future__ import annotations

import pytest
from tests.registry.conftest import Registries, Take, endpoints, service

from varka.proxy.node import Locality
from varka.registry.service import Health, Resolution

SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: a, namespace: ns}
spec:
  clusterIP: 10.0.0.1
  selector: {app: a}
  ports: [{name: http, port: 80, targetPort: web}, {name: tcp, port: 90, targetPort: 9000}]
---
"""
POD = """
apiVersion: v1
kind: Pod
metadata:
  name: a-66d9-xyz
  generateName: a-66d9-
  namespace: ns
  labels: {app: a, version: v1, pod-template-hash: 66d9, security.istio.io/tlsMode: istio}
  ownerReferences:
  - {apiVersion: apps/v1, kind: ReplicaSet, name: a-66d9, controller: true, uid: "1"}
spec:
  serviceAccountName: account
  nodeName: node
  containers: [{name: app, image: app, ports: [{name: web, containerPort: 8080}]}]
status:
  podIP: 10.1.0.1
  conditions: [{type: Ready, status: "True"}]
---
apiVersion: v1
kind: Node
metadata: {name: node, labels: {topology.kubernetes.io/region: r, topology.kubernetes.io/zone: z}}
---
"""


def test_a_service_has_its_full_name_and_ports(take: Take) -> None:
    found = service(take(SERVICE), "a.ns.svc.cluster.local")
    assert found.addresses == ("10.0.0.1",)
    assert [(p.name, p.number, p.protocol, p.target) for p in found.ports] == [
        ("http", 80, "HTTP", "web"),
        ("tcp", 90, "TCP", 9000),
    ]
    assert found.resolution is Resolution.CLIENT_SIDE
    assert found.export_to == {"*"}


@pytest.mark.parametrize(
    ("spec", "resolution", "headless", "addresses"),
    [
        ("{clusterIP: None, ports: [{port: 80}]}", Resolution.PASSTHROUGH, True, ()),
        ("{type: ExternalName, externalName: b.ns.svc.cluster.local}", Resolution.ALIAS, False, ()),
        ("{ports: [{port: 80}]}", Resolution.CLIENT_SIDE, False, ()),
        (
            "{clusterIP: 1.1.1.1, clusterIPs: [1.1.1.1, 'fd00::1'], ports: [{port: 80}]}",
            Resolution.CLIENT_SIDE,
            False,
            ("1.1.1.1", "fd00::1"),
        ),
    ],
)
def test_kinds_of_services(
    take: Take, spec: str, resolution: Resolution, headless: bool, addresses: tuple[str, ...]
) -> None:
    found = service(
        take(f"apiVersion: v1\nkind: Service\nmetadata: {{name: a}}\nspec: {spec}"),
        "a.default.svc.cluster.local",
    )
    assert (found.resolution, found.headless, found.addresses) == (resolution, headless, addresses)


def test_without_slices_the_endpoints_are_the_selected_pods(take: Take) -> None:
    found = take(SERVICE + POD)
    (web,) = endpoints(found, "a.ns.svc.cluster.local", 80)
    assert (web.address, web.port, web.workload, web.service_account) == (
        "10.1.0.1",
        8080,
        "a",
        "account",
    )
    assert (web.locality, web.node, web.tls_mode) == (Locality("r", "z"), "node", "istio")
    assert web.labels["version"] == "v1"
    assert web.labels["topology.kubernetes.io/zone"] == "z"
    assert [e.port for e in endpoints(found, "a.ns.svc.cluster.local", 90)] == [9000]


def test_a_port_name_that_no_container_has_gives_no_endpoint(take: Take) -> None:
    found = take(SERVICE + POD.replace("name: web", "name: other"))
    assert endpoints(found, "a.ns.svc.cluster.local", 80) == ()


def test_pods_that_are_not_ready_count_only_where_that_is_wanted(take: Take) -> None:
    down = POD.replace('status: "True"', 'status: "False"')
    assert endpoints(take(SERVICE + down), "a.ns.svc.cluster.local", 90) == ()
    wanted = SERVICE.replace("selector:", "publishNotReadyAddresses: true\n  selector:")
    assert [e.address for e in endpoints(take(wanted + down), "a.ns.svc.cluster.local", 90)] == [
        "10.1.0.1"
    ]


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_a_pod_that_has_ended_has_no_address(take: Take, phase: str) -> None:
    found = take(SERVICE + POD.replace("podIP:", f"phase: {phase}\n  podIP:"))
    assert endpoints(found, "a.ns.svc.cluster.local", 90) == ()
    assert found.workloads["ns"].by_address == {}


def test_a_pods_own_locality_label_beats_its_nodes(take: Take) -> None:
    found = take(SERVICE + POD.replace("app: a, version", "app: a, istio-locality: x.y.s, version"))
    assert endpoints(found, "a.ns.svc.cluster.local", 90)[0].locality == Locality("x", "y", "s")


SLICE = """
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: a-1, namespace: ns, labels: {kubernetes.io/service-name: a}}
addressType: IPv4
ports: [{name: http, port: 8888}]
endpoints:
- {addresses: [10.1.0.1], targetRef: {kind: Pod, name: a-66d9-xyz, namespace: ns}}
- {addresses: [10.1.0.2], conditions: {ready: false, serving: false, terminating: false}}
- {addresses: [10.1.0.3]}
- {addresses: [10.1.0.4], targetRef: {kind: Pod, name: nobody, namespace: ns}}
---
"""


def test_slices_say_where_endpoints_are_and_pods_who_they_are(take: Take) -> None:
    found = endpoints(take(SERVICE + POD + SLICE), "a.ns.svc.cluster.local", 80)
    assert [(e.address, e.port, e.workload) for e in found] == [
        ("10.1.0.1", 8888, "a"),
        ("10.1.0.3", 8888, ""),
    ]


def test_unready_endpoints_of_services_that_publish_them(take: Take) -> None:
    wanted = SERVICE.replace("selector:", "publishNotReadyAddresses: true\n  selector:")
    found = endpoints(take(wanted + POD + SLICE), "a.ns.svc.cluster.local", 80)
    assert [(e.address, e.health) for e in found if e.address == "10.1.0.2"] == [
        ("10.1.0.2", Health.UNHEALTHY)
    ]


def test_endpoints_objects_count_where_there_is_no_slice(take: Take) -> None:
    listed = """
apiVersion: v1
kind: Endpoints
metadata: {name: a, namespace: ns}
subsets: [{addresses: [{ip: 9.9.9.9}], ports: [{name: http, port: 1234}]}]
---
"""
    assert [e.address for e in endpoints(take(SERVICE + listed), "a.ns.svc.cluster.local", 80)] == [
        "9.9.9.9"
    ]
    found = endpoints(take(SERVICE + listed + POD + SLICE), "a.ns.svc.cluster.local", 80)
    assert [e.address for e in found] == ["10.1.0.1", "10.1.0.3"]


def test_services_select_workload_entries_too(take: Take) -> None:
    entry = """
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: vm, namespace: ns, labels: {app: a}}
spec: {address: 3.3.3.3, ports: {http: 7777}, serviceAccount: vm}
---
"""
    # `targetPort: web` is a name the entry does not have, `9000` a number that its port map does
    # not change
    (found,) = endpoints(take(SERVICE + entry), "a.ns.svc.cluster.local", 90)
    assert (found.address, found.port, found.workload, found.tls_mode) == (
        "3.3.3.3",
        9000,
        "vm",
        "istio",
    )
    assert endpoints(take(SERVICE + entry), "a.ns.svc.cluster.local", 80) == ()


def test_an_external_name_is_another_name_of_a_service(take: Take) -> None:
    alias = """
apiVersion: v1
kind: Service
metadata: {name: alias, namespace: other}
spec: {type: ExternalName, externalName: a.ns.svc.cluster.local}
---
"""
    found = service(take(SERVICE + alias), "a.ns.svc.cluster.local")
    assert found.aliases == (("other", "alias.other.svc.cluster.local"),)


def test_export_to_annotation(take: Take) -> None:
    text = SERVICE.replace(
        "namespace: ns}", "namespace: ns, annotations: {networking.istio.io/exportTo: 'other, .'}}"
    )
    assert service(take(text), "a.ns.svc.cluster.local").export_to == {"other", "ns"}
    hidden = SERVICE.replace(
        "namespace: ns}", "namespace: ns, annotations: {networking.istio.io/exportTo: '~'}}"
    )
    assert service(take(hidden), "a.ns.svc.cluster.local").export_to == frozenset()


def test_a_changed_pod_changes_only_the_endpoints_of_its_service(registries: Registries) -> None:
    other = SERVICE.replace("name: a,", "name: b,").replace("app: a", "app: b") + POD.replace(
        "a-66d9-xyz", "b-1"
    ).replace("app: a", "app: b").replace("10.1.0.1", "10.1.0.9")
    before = registries.apply(SERVICE + POD + other)
    after = registries.apply(POD.replace("version: v1", "version: v2"))
    changed, same = (service(after, f"{n}.ns.svc.cluster.local") for n in "ab")
    assert changed is service(before, "a.ns.svc.cluster.local")
    assert after.catalogue is before.catalogue
    assert after.tables[changed] is not before.tables[changed]
    assert after.tables[same] is before.tables[service(before, "b.ns.svc.cluster.local")]
