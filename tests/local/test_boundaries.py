"""What is wrong with one pod, one program or one object leaves the rest of the mesh working, and is
reported with its name."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from testbed.live import LiveMesh, eventually, folders
from tests.local.test_plans import run

from varka.local.workload.cluster import sort
from varka.local.workload.containers import Contents
from varka.local.workload.services import view
from varka.local.workload.workloads import pods_of

SERVER = f"{sys.executable} -m http.server 8080"
MANIFESTS = f"""
apiVersion: v1
kind: Pod
metadata: {{name: client}}
spec: {{containers: [{{name: c, image: client}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec: {{selector: {{app: web}}, ports: [{{name: http, port: 80, targetPort: 8080}}]}}
---
apiVersion: v1
kind: Pod
metadata: {{name: web, labels: {{app: web}}, annotations: {{varka.dev/run.c: {SERVER}}}}}
spec:
  containers:
  - {{name: c, image: web, ports: [{{containerPort: 8080}}, {{containerPort: 9090}}]}}
---
apiVersion: v1
kind: Pod
metadata: {{name: unseen, annotations: {{varka.dev/run.c: sleep 1000}}}}
spec: {{containers: [{{name: c, image: web, ports: [{{containerPort: 7070}}]}}]}}
---
apiVersion: v1
kind: Pod
metadata: {{name: foreign, annotations: {{varka.dev/last-applied: x}}}}
spec: {{containers: [{{name: c, image: web, ports: [{{containerPort: 8080}}]}}]}}
---
apiVersion: v1
kind: Pod
metadata: {{name: broken, annotations: {{traffic.sidecar.istio.io/includeInboundPorts: all}}}}
spec: {{containers: [{{name: c, image: web}}]}}
---
apiVersion: v1
kind: Pod
metadata: {{name: unquoted, annotations: {{varka.dev/run.c: "sleep '"}}}}
spec: {{containers: [{{name: c, image: web}}]}}
---
apiVersion: v1
kind: Secret
metadata: {{name: bad}}
data: {{key: "%%%"}}
"""


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveMesh]:
    folder = tmp_path_factory.mktemp("odd")
    (folder / "odd.yaml").write_text(MANIFESTS)
    live = LiveMesh("odd", folders(folder))
    live.up(str(folder / "odd.yaml"))
    yield live
    live.down()


@pytest.mark.e2e
def test_a_program_need_not_open_every_declared_port(odd: LiveMesh) -> None:
    """Ready as on Kubernetes; with a Service, once it answers there."""
    assert {pod["name"]: pod["ready"] for pod in odd.status["pods"]} == {
        "client": True,
        "web": True,
        "unseen": True,
        "foreign": True,
    }
    answer = odd.request(["--from", "client", "http://web/"])
    assert answer["summary"]["by_status"] == {"200": 1}


@pytest.mark.e2e
def test_what_cannot_be_used_is_reported_by_name(odd: LiveMesh) -> None:
    told = {
        (one["object"]["kind"], one["object"]["name"]): one["message"]
        for one in odd.status["diagnostics"]
        if one["code"] == "P0001"
    }
    assert "'all' is not a port" in told["Pod", "broken"]
    assert "No closing quotation" in told["Pod", "unquoted"]


@pytest.mark.e2e
def test_a_pod_that_could_not_be_started_leaves_nothing(odd: LiveMesh) -> None:
    """The annotation is read after the namespaces are made."""
    before = namespaces(odd)
    odd.apply(
        """
apiVersion: v1
kind: Pod
metadata:
  name: late
  annotations: {proxy.istio.io/config: "envoyAccessLogService: {address: 'logs:http'}"}
spec: {containers: [{name: c, image: web}]}
"""
    )
    eventually(lambda: "late.default" in odd.now()["failed"])
    assert namespaces(odd) == before
    odd.apply(MANIFESTS.split("---")[1])
    assert odd.request(["--from", "client", "http://web/"])["summary"]["by_status"] == {"200": 1}


def namespaces(mesh: LiveMesh) -> int:
    """How many network namespaces the node holds."""
    fds = Path(f"/proc/{mesh.now()['init']}/fd")
    return sum(os.readlink(fd).startswith("net:") for fd in fds.iterdir())


def pod(**metadata: Any) -> dict[str, Any]:
    return {"kind": "Pod", "metadata": {"name": "p", **metadata}, "spec": {"containers": []}}


@pytest.mark.parametrize("text", ["x", "[]", "{}", '{"metadata": 1, "spec": {}}', "null", "7"])
def test_an_annotation_of_our_name_that_is_not_ours_says_nothing(text: str) -> None:
    (plan,) = pods_of(pod(annotations={"varka.dev/last-applied": text}))
    assert plan.name == "p"


@pytest.mark.parametrize(
    "bad",
    [
        {"kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "a"}},
        {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": ["a"]},
        {"kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": 7}},
        {"kind": "Deployment", "metadata": {"name": "d"}, "spec": {"replicas": "many"}},
        {"kind": "Deployment", "metadata": {"name": "d"}, "spec": {"template": "x"}},
        {"kind": "Job", "metadata": {"name": "j"}, "spec": {"completions": []}},
        {"kind": "Endpoints", "metadata": {"name": "e"}, "subsets": [{"addresses": [{}]}]},
        {
            "kind": "EndpointSlice",
            "metadata": {"name": "e"},
            "endpoints": [],
            "ports": [{"port": "http"}],
        },
    ],
)
def test_one_bad_object_does_not_hide_the_others(bad: dict[str, Any]) -> None:
    cluster = sort([bad, pod()], {})
    assert list(cluster.plans) == ["p.default"]
    (what,) = cluster.problems
    assert what == f"{bad['kind']} {bad['metadata']['name']}.default"


def test_a_program_gets_no_rival_on_its_ports() -> None:
    """The stand-in of another container does not listen where a Service leads to the program."""
    spec = {
        "containers": [
            {"name": "c", "ports": [{"containerPort": 8080}]},
            {"name": "side", "ports": [{"containerPort": 9090}]},
        ]
    }
    value = pod(labels={"app": "web"}, annotations={"varka.dev/run.c": "serve"}) | {"spec": spec}
    (plan,) = pods_of(value)
    service = view(
        {
            "metadata": {"name": "s"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 8080}, {"port": 81}]},
        }
    )
    inside: Contents = run(plan, services=(service,))
    assert inside.stand_in is not None
    assert [port for port, _ in inside.stand_in.ports] == [81, 9090]
    assert inside.service_ports == {8080, 81}
