"""Requests go on while their rules change."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from testbed.live import VARKA

if TYPE_CHECKING:
    from tests.e2e.rowsmesh import RowsMesh

REQUESTS = 3000
CHANGES = 12


def _objects(step: int) -> list[dict[str, Any]]:
    """Weights, a traffic policy, and new names for both subsets in the rule and its routes at
    once."""
    names = [f"v1-{step // 3}", f"v2-{step // 3}"]
    subsets = [{"name": name, "labels": {"version": name.partition("-")[0]}} for name in names]
    routes = [
        {"destination": {"host": "echo", "subset": name}, "weight": weight}
        for name, weight in zip(names, (step * 7 % 100, 100 - step * 7 % 100), strict=True)
    ]
    simple = ("ROUND_ROBIN", "RANDOM")[step % 2]
    return [
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "DestinationRule",
            "metadata": {"name": "echo", "namespace": "default"},
            "spec": {
                "host": "echo",
                "trafficPolicy": {"loadBalancer": {"simple": simple}},
                "subsets": subsets,
            },
        },
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "VirtualService",
            "metadata": {"name": "echo", "namespace": "default"},
            "spec": {"hosts": ["echo"], "http": [{"route": routes}]},
        },
    ]


@pytest.mark.e2e
def test_no_request_fails_while_rules_change(rows_mesh: RowsMesh) -> None:
    count = ["--count", str(REQUESTS), "--concurrency", "10", "-o", "json"]
    live = rows_mesh.live
    command = [
        *VARKA,
        "request",
        "--name",
        live.name,
        "--from",
        "client.default",
        "http://echo/",
        *count,
    ]
    try:
        live.apply(_objects(0))
        with subprocess.Popen(
            command, env=dict(live.environment), stdout=subprocess.PIPE, text=True
        ) as load:
            for step in range(1, CHANGES):
                live.apply(_objects(step))
            printed, _ = load.communicate(timeout=60)
        summary = json.loads(printed)["summary"]
        assert (summary["by_status"], summary["errors"]) == ({"200": REQUESTS}, {})
    finally:
        live.delete(_objects(0))
