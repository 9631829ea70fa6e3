"""What the node begins with is what the control plane shows later: no pod is started twice."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from testbed.live import LiveMesh

from varka.local.supervisor.options import Manifests
from varka.local.supervisor.preview import preview, send_preview
from varka.local.workload.cluster import KINDS, Object, sort

MESH = str(Path(__file__).parent / "mesh.yaml")


@pytest.mark.e2e
def test_the_preview_is_what_the_control_plane_shows(mesh: LiveMesh) -> None:
    kinds = "&".join(f"kind={kind}" for kind in KINDS)
    items = mesh.api("GET", f"/objects?{kinds}")["items"]
    shown = [item["object"] for item in items if item["source"] != "runtime"]
    assert revisions(preview(Manifests([MESH]))) == revisions(shown)


def revisions(objects: list[Object]) -> dict[str, tuple[object, ...]]:
    """Of pods what they and their proxies depend on, of Services their addresses."""
    cluster = sort(objects, {})
    assert not cluster.problems
    pods = {key: (plan.revision, cluster.proxy(plan)) for key, plan in cluster.plans.items()}
    services = {one.host: (one.spec.cluster_ip,) for one in cluster.services}
    return {**pods, **services}


@pytest.mark.e2e
def test_no_pod_is_started_twice(mesh: LiveMesh) -> None:
    ips = [pod["ip"] for pod in mesh.status["pods"]]
    assert sorted(ips) == sorted(f"10.244.0.{number + 3}" for number in range(len(ips)))


def test_a_mesh_configuration_counts(tmp_path: Path) -> None:
    file = tmp_path / "mesh.yaml"
    file.write_text("defaultConfig: {holdApplicationUntilProxyStarts: true}")
    (with_one,) = (
        value
        for value in preview(Manifests([MESH], str(file)))
        if value["kind"] == "ConfigMap" and value["metadata"]["name"] == "istio"
    )
    assert with_one["metadata"]["namespace"] == "istio-system"


def test_a_broken_file_leaves_the_rest(tmp_path: Path) -> None:
    receiving, sending = os.pipe()
    file = tmp_path / "broken.yaml"
    file.write_text("{")
    send_preview(Manifests([str(file)]), sending)
    with os.fdopen(receiving) as pipe:
        kinds = {value["kind"] for value in json.load(pipe)}
    assert kinds == {"Namespace"}
