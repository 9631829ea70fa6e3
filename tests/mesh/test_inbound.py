from __future__ import annotations

import pytest
from tests.mesh.conftest import ChangingMesh, proxy_of, resource
from tests.present import present

from varka.mesh.model import Inbound

SERVICE = (
    "{selector: {app: a}, ports: [{name: http, port: 80, targetPort: web}, {name: tcp, port: 90,"
    " targetPort: 9000}]}"
)


def pod(name: str = "a-1", address: str = "1.1.1.1", ready: str = "True", port: str = "web") -> str:
    text = resource(
        "Pod",
        name,
        f"{{containers: [{{name: c, image: i, ports: [{{name: {port}, containerPort: 8080}}]}}]}}",
    )
    text = text.replace("namespace: default", "namespace: default, labels: {app: a}")
    return text + f"status: {{podIP: {address}, conditions: [{{type: Ready, status: '{ready}'}}]}}"


def targets(inbound: Inbound) -> list[tuple[str, int, int]]:
    return [(t.service.name, t.port.number, t.target) for t in inbound.targets]


def test_a_pod_serves_the_services_that_select_it_ready_or_not(world: ChangingMesh) -> None:
    snapshot = world.apply(
        resource("Service", "a", SERVICE),
        resource("Service", "b", SERVICE, "other"),
        pod(ready="False"),
    )
    assert targets(snapshot.proxy_context(proxy_of(address="1.1.1.1")).inbound) == [
        ("a", 80, 8080),
        ("a", 90, 9000),
    ]
    assert targets(snapshot.proxy_context(proxy_of(name="a-1")).inbound) == [
        ("a", 80, 8080),
        ("a", 90, 9000),
    ]


def test_a_port_name_the_pod_does_not_have_is_not_served(world: ChangingMesh) -> None:
    snapshot = world.apply(resource("Service", "a", SERVICE), pod(port="other"))
    assert targets(snapshot.proxy_context(proxy_of(address="1.1.1.1")).inbound) == [("a", 90, 9000)]


def test_ports_of_one_protocol_at_one_place_are_one(world: ChangingMesh) -> None:
    spec = (
        "{selector: {app: a}, ports: [{name: http-a, port: 80, targetPort: 1}, {name: http-b, port:"
        " 81, targetPort: 1}]}"
    )
    snapshot = world.apply(resource("Service", "a", spec), pod())
    assert targets(snapshot.proxy_context(proxy_of(address="1.1.1.1")).inbound) == [("a", 80, 1)]


SLICE = """
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: a-1, namespace: default, labels: {kubernetes.io/service-name: a}}
addressType: IPv4
ports: [{name: http, port: 8888}]
endpoints: [{addresses: [2.2.2.2]}]
"""


def test_an_unknown_workload_serves_what_has_its_address(world: ChangingMesh) -> None:
    snapshot = world.apply(resource("Service", "a", "{ports: [{name: http, port: 80}]}"), SLICE)
    assert targets(snapshot.proxy_context(proxy_of(address="2.2.2.2")).inbound) == [("a", 80, 8888)]
    assert targets(snapshot.proxy_context(proxy_of(address="3.3.3.3")).inbound) == []


def test_for_a_pod_its_own_ports_count_and_not_what_a_slice_lists(world: ChangingMesh) -> None:
    snapshot = world.apply(resource("Service", "a", SERVICE), pod(address="2.2.2.2"), SLICE)
    assert targets(snapshot.proxy_context(proxy_of(address="2.2.2.2")).inbound) == [
        ("a", 80, 8080),
        ("a", 90, 9000),
    ]


def test_a_pod_serves_service_entries_too(world: ChangingMesh) -> None:
    port = "{number: 70, name: http, protocol: HTTP}"
    spec = (
        f"{{hosts: [x.com], resolution: STATIC, ports: [{port}], workloadSelector: {{labels: {{app:"
        " a}}}"
    )
    snapshot = world.apply(
        resource("Service", "a", SERVICE), resource("ServiceEntry", "e", spec), pod()
    )
    assert targets(snapshot.proxy_context(proxy_of(address="1.1.1.1")).inbound) == [
        ("a", 80, 8080),
        ("a", 90, 9000),
        ("x.com", 70, 70),
    ]


def test_an_unknown_address_serves_what_selects_its_labels(world: ChangingMesh) -> None:
    snapshot = world.apply(resource("Service", "a", SERVICE))
    assert targets(snapshot.proxy_context(proxy_of(address="9.9.9.9", app="a")).inbound) == [
        ("a", 90, 9000)
    ]
    assert targets(snapshot.proxy_context(proxy_of(address="9.9.9.9", app="b")).inbound) == []


def test_service_entries_of_the_namespace_only(world: ChangingMesh) -> None:
    spec = (
        "{hosts: [x.com], resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}],"
        " endpoints: [{address: 4.4.4.4}]}"
    )
    snapshot = world.apply(
        resource("ServiceEntry", "e", spec),
        resource("ServiceEntry", "e", spec.replace("x.com", "y.com"), "other"),
    )
    assert targets(snapshot.proxy_context(proxy_of(address="4.4.4.4")).inbound) == [
        ("x.com", 80, 80)
    ]


def test_equal_workloads_share_their_inbound_side(world: ChangingMesh) -> None:
    snapshot = world.apply(resource("Service", "a", SERVICE), pod(), pod("a-2", "1.1.1.2"))
    one, two = (snapshot.proxy_context(proxy_of(address=a)).inbound for a in ("1.1.1.1", "1.1.1.2"))
    assert one is two
    assert (
        world.apply(pod("a-2", "1.1.1.3")).proxy_context(proxy_of(address="1.1.1.1")).inbound is one
    )


INGRESS = "{port: {number: 8080, protocol: HTTP, name: x}, defaultEndpoint: '%s'%s}"


def test_a_sidecars_ingress_replaces_the_services_ports(world: ChangingMesh) -> None:
    pool = ", inboundConnectionPool: {http: {maxRetries: 3}}"
    listener = INGRESS % ("127.0.0.1:7", "")
    texts = (
        resource("Service", "a", SERVICE),
        pod(),
        resource("Sidecar", "s", f"{{ingress: [{listener}]{pool}}}"),
    )
    found = world.apply(*texts).proxy_context(proxy_of(address="1.1.1.1")).inbound
    assert found.ingress is not None
    assert found.ingress[0].spec.default_endpoint == "127.0.0.1:7"
    assert found.ingress[0].target is not None
    assert found.ingress[0].target.port.number == 80
    assert present(present(found.connection_pool).http).max_retries == 3
    assert (present(found.sidecar).name, found.addresses, found.address) == ("s", (), "1.1.1.1")


@pytest.mark.parametrize(
    ("endpoint", "more", "addresses", "address"),
    [("0.0.0.0:7", ", bind: 0.0.0.0", ("1.1.1.1",), ""), ("127.0.0.1:7", "", (), "1.1.1.1")],
)
def test_the_proxys_own_address_only_where_it_is_needed(
    world: ChangingMesh, endpoint: str, more: str, addresses: tuple[str, ...], address: str
) -> None:
    sidecar = resource("Sidecar", "s", f"{{ingress: [{INGRESS % (endpoint, more)}]}}")
    found = world.apply(sidecar).proxy_context(proxy_of(address="1.1.1.1")).inbound
    assert (found.addresses, found.address) == (addresses, address)
