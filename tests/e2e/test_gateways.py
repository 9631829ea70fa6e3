"""Gateways of a profile, and selectors that find none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from testbed.live import LiveMesh, folders

from tests.e2e import outside
from tests.e2e.objects import istio

pytestmark = pytest.mark.e2e

EGRESS = istio(
    "Gateway",
    "egress",
    {
        "selector": {"istio": "egressgateway"},
        "servers": [
            {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["out.test"]}
        ],
    },
)
THROUGH_EGRESS = istio(
    "VirtualService",
    "egress",
    {
        "hosts": ["out.test"],
        "gateways": ["mesh", "egress"],
        "http": [
            {
                "match": [{"gateways": ["mesh"]}],
                "route": [
                    {
                        "destination": {
                            "host": "istio-egressgateway.istio-system.svc.cluster.local",
                            "port": {"number": 80},
                        }
                    }
                ],
            },
            {
                "match": [{"gateways": ["egress"]}],
                "route": [
                    {
                        "destination": {"host": "out.test"},
                        "headers": {"response": {"set": {"x-left": "by egress"}}},
                    }
                ],
            },
        ],
    },
)
MISLED = istio(
    "Gateway",
    "misled",
    {
        "selector": {"istio": "istio-ingressgateway"},
        "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}],
    },
)
LATE = istio(
    "Gateway",
    "late",
    {
        "selector": {"istio": "egressgateway"},
        "servers": [
            {"port": {"number": 8443, "name": "tcp", "protocol": "TCP"}, "hosts": ["*"]},
            {"port": {"number": 80, "name": "taken", "protocol": "TCP"}, "hosts": ["*"]},
        ],
    },
)
CLIENT = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "client", "namespace": "default"},
    "spec": {
        "containers": [{"name": "client", "image": "client", "ports": [{"containerPort": 8080}]}]
    },
}


@pytest.fixture(scope="module")
def demo(short_folder: Path) -> Iterator[LiveMesh]:
    root = short_folder / "demo"
    root.mkdir()
    manifest = root / "mesh.yaml"
    manifest.write_text(yaml.safe_dump_all([CLIENT, EGRESS, THROUGH_EGRESS, MISLED, LATE]))
    mesh = LiveMesh("demo", folders(root))
    mesh.up("--profile", "demo", str(manifest))
    yield mesh
    mesh.down()


def test_an_egress_gateway_is_on_the_way_out(demo: LiveMesh) -> None:
    with outside.server("outside") as port:
        demo.apply([outside.entry("out", ["out.test"], {"http": (80, "HTTP", port)})])
        answer = demo.request(["--from", "client", "http://out.test/"])["responses"][0]
    assert (answer["status"], answer["body"], answer["headers"].get("x-left")) == (
        200,
        "outside",
        "by egress",
    )


def test_a_selector_that_finds_no_gateway_is_told(demo: LiveMesh) -> None:
    told = [one for one in demo.status["diagnostics"] if "istio-ingressgateway" in one["message"]]
    assert told, demo.status["diagnostics"]
    assert not demo.status["published"]


def test_a_server_that_finds_its_port_taken_is_told(demo: LiveMesh) -> None:
    [told] = [one for one in demo.status["diagnostics"] if one["code"] == "V7012"]
    assert (told["object"]["name"], told["path"]) == ("late", "spec.servers[1].port")
    assert "Gateway default/egress" in told["message"]
    assert told["file"].endswith("mesh.yaml")
