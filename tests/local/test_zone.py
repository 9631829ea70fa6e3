"""What names mean, and where Service addresses lead."""

from __future__ import annotations

from typing import Any

import pytest

from varka.local.dns import zone
from varka.local.dns.server import hosts
from varka.local.dns.upstreams import nameservers
from varka.local.dns.zone import Answer
from varka.local.network import capture
from varka.local.workload.services import Forward, RunningPod, forwards, view
from varka.resources.model import kubernetes
from varka.resources.model.base import decode


def pod(name: str, ip: str, *, ready: bool = True, **spec: Any) -> RunningPod:
    return RunningPod(name, "default", ip, {"app": "web"}, decode(spec, kubernetes.PodSpec), ready)


def service(name: str = "web", **spec: Any) -> Any:
    return view({"metadata": {"name": name}, "spec": {"selector": {"app": "web"}, **spec}})


PODS = [
    pod("a", "10.244.0.3"),
    pod("b", "10.244.0.4", hostname="b", subdomain="web"),
    pod("c", "10.244.0.5", ready=False),
]
WEB = "web.default.svc.cluster.local"


def test_a_service_has_its_address_and_a_headless_one_its_ready_pods() -> None:
    table = zone.build([service(clusterIP="10.96.1.1")], PODS, [])
    assert table.lookup(WEB, sidecar=False) == Answer(("10.96.1.1",))
    table = zone.build([service(clusterIP="None")], PODS, [])
    assert table.lookup(WEB, sidecar=False) == Answer(("10.244.0.3", "10.244.0.4"))
    assert table.lookup(f"b.{WEB}", sidecar=False) == Answer(("10.244.0.4",))
    assert table.lookup(f"a.{WEB}", sidecar=False) is None


def test_pods_that_are_not_ready_are_named_where_a_service_publishes_them() -> None:
    table = zone.build([service(clusterIP="None", publishNotReadyAddresses=True)], PODS, [])
    assert "10.244.0.5" in (table.lookup(WEB, sidecar=False) or Answer()).addresses


def test_an_external_name_is_an_alias() -> None:
    table = zone.build([service(type="ExternalName", externalName="Example.COM.")], [], [])
    assert table.lookup(WEB, sidecar=False) == Answer(alias="example.com")


def entry(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "default"}, "spec": spec}


def test_hosts_of_service_entries_are_known_to_sidecars_only() -> None:
    entries = [
        entry("a", hosts=["a.example.com"], addresses=["192.0.2.7"], resolution="STATIC"),
        entry("b", hosts=["b.example.com"], resolution="DNS"),
        entry("c", hosts=["c.example.com"], resolution="NONE"),
        entry("d", hosts=["*.wild.example.com"], addresses=["192.0.2.8"]),
    ]
    table = zone.build([], [], entries)
    assert table.lookup("a.example.com", sidecar=True) == Answer(("192.0.2.7",))
    assert (
        (table.lookup("b.example.com", sidecar=True) or Answer())
        .addresses[0]
        .startswith("240.240.")
    )
    assert table.lookup("c.example.com", sidecar=True) is None
    assert table.lookup("x.y.wild.example.com", sidecar=True) == Answer(("192.0.2.8",))
    assert table.lookup("a.example.com", sidecar=False) is None


def test_names_of_the_cluster_are_never_asked_for_elsewhere() -> None:
    assert zone.is_ours("nobody.default.svc.cluster.local")
    assert not zone.is_ours("example.com")


def test_connections_go_to_ready_pods_at_the_target_port() -> None:
    ports = [{"containerPort": 8080, "name": "http"}]
    pods = [
        pod("a", "10.244.0.3", containers=[{"ports": ports}]),
        pod("c", "10.244.0.5", ready=False),
    ]
    given = service(clusterIP="10.96.1.1", ports=[{"port": 80, "targetPort": "http"}])
    assert forwards([given], pods, {}) == [Forward("10.96.1.1", "tcp", 80, (("10.244.0.3", 8080),))]


def test_a_service_without_selector_goes_where_its_slices_say() -> None:
    given = view(
        {"metadata": {"name": "db"}, "spec": {"clusterIP": "10.96.1.2", "ports": [{"port": 5432}]}}
    )
    slices = {
        "db.default.svc.cluster.local": [
            {"ports": [{"port": 15432}], "endpoints": [{"addresses": ["192.0.2.1"]}]}
        ]
    }
    assert forwards([given], [], slices)[0].backends == (("192.0.2.1", 15432),)


def test_the_machines_resolver_files() -> None:
    assert nameservers("search x\nnameserver 192.0.2.53 # y\nnameserver fe80::1%eth0\n") == [
        "192.0.2.53",
        "fe80::1",
    ]
    assert hosts("127.0.1.1 laptop # me\n192.0.2.1 nas NAS.lan\n::1 six\n127.0.0.1 localhost") == {
        "laptop": Answer(("10.244.0.2",)),
        "nas": Answer(("192.0.2.1",)),
        "nas.lan": Answer(("192.0.2.1",)),
    }


def test_capture_annotations() -> None:
    prefix = "traffic.sidecar.istio.io/"
    assert capture.from_annotations({}) == capture.Capture()
    assert capture.from_annotations({"sidecar.istio.io/interceptionMode": "NONE"}) is None
    given = capture.from_annotations(
        {f"{prefix}includeInboundPorts": "80, 81", f"{prefix}excludeOutboundIPRanges": "10.1.2.3/8"}
    )
    assert given == capture.Capture(
        include_inbound_ports=(80, 81), exclude_outbound_ranges=("10.0.0.0/8",)
    )
    with pytest.raises(ValueError, match="is not a port"):
        capture.from_annotations({f"{prefix}excludeInboundPorts": "http"})
