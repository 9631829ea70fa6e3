from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.registry.conftest import Registries, Take, endpoints, service

from varka.proxy.node import Locality
from varka.registry.service import Resolution


def entry(spec: str, name: str = "e", metadata: str = "", status: str = "") -> str:
    return f"""
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: {name}, namespace: ns{metadata}}}
spec: {{{spec}}}
{status}
---
"""


PORTS = (
    "ports: [{number: 80, name: http, protocol: HTTP, targetPort: 8080}, {number: 90, name: tcp,"
    " protocol: TCP}]"
)


def test_every_host_is_a_service(take: Take) -> None:
    found = take(
        entry(
            "hosts: [a.com, b.com], resolution: DNS, ports: [{number: 80, name: http, protocol:"
            " HTTP}]"
        )
    )
    assert [s.hostname for s in found.catalogue.services] == ["a.com", "b.com"]
    assert all(s.mesh_external and s.resolution is Resolution.DNS for s in found.catalogue.services)


def test_addresses_and_ranges(take: Take) -> None:
    text = entry(
        f"hosts: [a.com], addresses: [1.1.1.1, 2.2.2.0/24, 3.3.3.3/32], resolution: NONE, {PORTS}"
    )
    assert service(take(text), "a.com").addresses == ("1.1.1.1", "2.2.2.0/24", "3.3.3.3")


def test_a_host_without_endpoints_is_its_own_endpoint(take: Take) -> None:
    found = take(entry(f"hosts: [a.com], resolution: DNS, {PORTS}"))
    assert [(e.address, e.port) for e in endpoints(found, "a.com", 80)] == [("a.com", 8080)]
    assert [(e.address, e.port) for e in endpoints(found, "a.com", 90)] == [("a.com", 90)]


def test_static_endpoints(take: Take) -> None:
    listed = (
        "endpoints: [{address: 1.1.1.1, ports: {http: 7}, locality: r/z, weight: 3, labels: {v:"
        " x}}]"
    )
    (found,) = endpoints(
        take(entry(f"hosts: [a.com], resolution: STATIC, {PORTS}, {listed}")), "a.com", 80
    )
    assert (found.address, found.port, found.weight, found.locality) == (
        "1.1.1.1",
        7,
        3,
        Locality("r", "z"),
    )
    assert found.labels["v"] == "x"


def test_a_socket_has_no_port(take: Take) -> None:
    text = entry(
        "hosts: [a.com], resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}],"
        " endpoints: [{address: 'unix:///s'}]"
    )
    assert [(e.address, e.port) for e in endpoints(take(text), "a.com", 80)] == [("unix:///s", 0)]


WORKLOADS = """
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: vm, namespace: ns}
spec: {address: 2.2.2.2, labels: {app: x}, ports: {http: 70}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: named, namespace: ns}
spec: {address: vm.example.com, labels: {app: x}}
---
apiVersion: v1
kind: Pod
metadata: {name: pod, namespace: ns, labels: {app: x}}
spec: {containers: [{name: c, image: c, ports: [{name: http, containerPort: 71}]}]}
status: {podIP: 3.3.3.3}
---
"""


@pytest.mark.parametrize(
    ("resolution", "expected"),
    [
        ("STATIC", [("3.3.3.3", 71), ("2.2.2.2", 70)]),
        ("DNS", [("3.3.3.3", 71), ("vm.example.com", 8080), ("2.2.2.2", 70)]),
    ],
)
def test_a_workload_selector_finds_entries_and_pods(
    take: Take, resolution: str, expected: list[tuple[str, int]]
) -> None:
    text = entry(
        f"hosts: [a.com], resolution: {resolution}, {PORTS}, workloadSelector: {{labels: {{app:"
        " x}}"
    )
    assert [(e.address, e.port) for e in endpoints(take(text + WORKLOADS), "a.com", 80)] == expected


def test_entries_of_one_host_in_one_namespace_are_one_service(take: Take) -> None:
    one = entry(
        "hosts: [a.com], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]", "one"
    )
    two = entry(
        "hosts: [a.com], resolution: DNS, ports: [{number: 443, name: tls, protocol: TLS}]", "two"
    )
    found = take(one + two)
    assert [p.number for p in service(found, "a.com").ports] == [80, 443]
    assert [e.address for e in endpoints(found, "a.com", 443)] == ["a.com"]


def test_addresses_come_from_the_hash_of_the_name(take: Take) -> None:
    one = entry(
        "hosts: [istio.io], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]"
    )
    found = take(one.replace("namespace: ns", "namespace: default"))
    assert service(found, "istio.io").auto_addresses == ("240.240.122.168", "2001:2::f0f0:7aa8")


@pytest.mark.parametrize(
    ("spec", "metadata"),
    [
        ("hosts: [a.com], resolution: NONE", ""),
        ("hosts: [a.com], resolution: STATIC, addresses: [1.1.1.1]", ""),
        ("hosts: ['*.com'], resolution: STATIC", ""),
        (
            "hosts: [a.com], resolution: STATIC",
            ", labels: {networking.istio.io/enable-autoallocate-ip: 'false'}",
        ),
    ],
)
def test_who_gets_no_address(take: Take, spec: str, metadata: str) -> None:
    (found,) = take(entry(f"{spec}, {PORTS}", metadata=metadata)).catalogue.services
    assert found.auto_addresses == ()


def test_the_status_says_which_address_was_given(take: Take) -> None:
    status = "status: {addresses: [{host: a.com, value: 240.240.0.7}]}"
    assert service(
        take(entry(f"hosts: [a.com], resolution: DNS, {PORTS}", status=status)), "a.com"
    ).auto_addresses == ("240.240.0.7",)


def test_the_mesh_says_who_sees_what_does_not_say_itself(registries: Registries) -> None:
    import msgspec

    registries.config = msgspec.structs.replace(registries.config, default_service_export_to=(".",))
    assert service(
        registries.apply(entry(f"hosts: [a.com], resolution: DNS, {PORTS}")), "a.com"
    ).export_to == {"ns"}


def test_unchanged_entries_stay_the_same_service(registries: Registries) -> None:
    one, two = (
        entry(f"hosts: [{h}], resolution: DNS, {PORTS}", n)
        for h, n in (("a.com", "a"), ("b.com", "b"))
    )
    before = registries.apply(one + two)
    after = registries.apply(two.replace("8080", "8081"))
    assert service(after, "a.com") is service(before, "a.com")
    assert service(after, "b.com") is not service(before, "b.com")
    assert after.tables[service(after, "a.com")] is before.tables[service(before, "a.com")]


def test_settings_name_the_domain(registries: Registries) -> None:
    registries.settings = replace(registries.settings, domain="example.org")
    found = registries.apply(
        "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80}]}"
    )
    assert [s.hostname for s in found.catalogue.services] == ["a.default.svc.example.org"]
