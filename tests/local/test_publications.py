"""Which Service ports are published on this machine."""

from __future__ import annotations

from typing import Any

from varka.local.node.publications import publications
from varka.local.workload.services import ServiceView, view


def service(name: str, *ports: int, **spec: Any) -> ServiceView:
    numbered = [{"name": f"p{port}", "port": port} for port in ports]
    metadata = {"name": name, "namespace": "edge"}
    return view({"metadata": metadata, "spec": {"clusterIP": "1.2.3.4", "ports": numbered, **spec}})


def test_load_balancers_are_published_and_others_when_asked_for() -> None:
    own = service("own", 80, 443, 15021, 31400, type="LoadBalancer")
    inner = service("inner", 80, 81)
    wanted = [(9000, "inner.edge", 81), (9001, "own.edge", 443), (1, "no.edge", 1)]
    assert [
        (one.machine_port, one.service, one.port) for one in publications([own, inner], wanted)
    ] == [
        (9000, "inner.edge", 81),
        (9001, "own.edge", 443),
        (8080, "own.edge", 80),
        (31400, "own.edge", 31400),
    ]
