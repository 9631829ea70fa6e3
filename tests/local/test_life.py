"""Who dies with whom, what is started again, what is left behind."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from testbed.live import LiveMesh, eventually, folders

pytestmark = pytest.mark.e2e

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web, version: {version}}}}}
    spec: {{containers: [{{name: web, image: web, ports: [{{containerPort: 8080}}]}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec: {{selector: {{app: web}}, ports: [{{name: http, port: 80, targetPort: 8080}}]}}
---
apiVersion: v1
kind: Pod
metadata: {{name: client}}
spec: {{containers: [{{name: client, image: client}}]}}
"""
ADDRESSLESS = """
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: addressless}
spec:
  hosts: [addressless.test]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 8080, name: tcp, protocol: TCP}]
  workloadSelector: {labels: {app: web}}
"""


@pytest.fixture
def own(short_folder: Path) -> Iterator[LiveMesh]:
    """A mesh that the test may kill, beside the one of the session."""
    folder = short_folder / "own"
    folder.mkdir(exist_ok=True)
    manifest = folder / "web.yaml"
    manifest.write_text(DEPLOYMENT.format(replicas=1, version="v1") + ADDRESSLESS)
    live = LiveMesh("own", folders(folder))
    live.up(str(manifest))
    yield live
    live.down()


TEAPOT = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "VirtualService",
    "metadata": {"name": "teapot"},
    "spec": {
        "hosts": ["web"],
        "http": [
            {"match": [{"uri": {"prefix": "/tea"}}], "directResponse": {"status": 418}},
            {"route": [{"destination": {"host": "web"}}]},
        ],
    },
}


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def pids(mesh: LiveMesh, role: str) -> list[int]:
    return [process["pid"] for process in mesh.now()["processes"] if process["role"] == role]


def lookup(mesh: LiveMesh, pod: str, name: str) -> str:
    """The address of a name as a pod's DNS tells it; "" when it is not known."""
    program = "import socket, sys; print(socket.gethostbyname(sys.argv[1]))"
    return mesh.exec(pod, sys.executable, "-c", program, name, check=False).stdout.strip()


def test_nothing_is_left_when_the_supervisor_is_killed(own: LiveMesh) -> None:
    every = [process["pid"] for process in own.status["processes"]]
    os.kill(own.status["pid"], signal.SIGKILL)
    eventually(lambda: not any(is_alive(pid) for pid in every), seconds=2)
    eventually(lambda: not own.sockets.exists(), seconds=2)


def test_down_leaves_nothing(own: LiveMesh) -> None:
    every = [process["pid"] for process in own.status["processes"]]
    own.down()
    assert not any(is_alive(pid) for pid in every)
    assert not own.sockets.exists()
    assert not (Path(own.environment["XDG_STATE_HOME"]) / "varka" / "own").exists()
    assert own.varka("down", check=False).returncode == 69


def test_proxies_serve_while_the_control_plane_is_started_again(own: LiveMesh) -> None:
    before = {pod["name"]: pod["ip"] for pod in own.pods()}
    address = own.api("GET", "/objects?kind=Service&name=web")["items"][0]["object"]["spec"][
        "clusterIP"
    ]
    eventually(lambda: lookup(own, "client", "addressless.test").startswith("240.240."))
    looked_up = lookup(own, "client", "addressless.test")
    own.apply([TEAPOT])
    (old,) = pids(own, "control-plane")
    answers: list[dict[str, int]] = []
    load = threading.Thread(
        target=lambda: answers.append(
            own.request(["--from", "client", "http://web/", "--count", "2000"])["summary"][
                "by_status"
            ]
        )
    )
    load.start()
    os.kill(old, signal.SIGKILL)
    eventually(lambda: pids(own, "control-plane") != [old])
    load.join()
    assert answers == [{"200": 2000}]
    eventually(lambda: len([p for p in own.proxies() if p["synced"]]) == 2)
    assert {pod["name"]: pod["ip"] for pod in own.pods()} == before
    assert (
        own.api("GET", "/objects?kind=Service&name=web")["items"][0]["object"]["spec"]["clusterIP"]
        == address
    )
    assert lookup(own, "client", "addressless.test") == looked_up
    assert own.request(["--from", "client", "http://addressless.test:8080/"])["summary"][
        "by_status"
    ] == {"200": 1}
    # What was applied is still there, not only in proxies that have not heard of anything else.
    assert own.request(["--from", "client", "http://web/tea"])["summary"]["by_status"] == {"418": 1}
    assert [
        item["source"]
        for item in own.api("GET", "/objects?kind=VirtualService&name=teapot")["items"]
    ] == ["apply"]
    own.delete([TEAPOT])


@pytest.mark.parametrize("role", ["envoy", "workload"])
def test_a_killed_process_of_a_pod_is_started_again(own: LiveMesh, role: str) -> None:
    pod = own.pod("web")
    (old,) = [p["pid"] for p in own.now()["processes"] if p["role"] == role and p.get("pod") == pod]
    os.kill(old, signal.SIGKILL)
    eventually(
        lambda: any(
            p["role"] == role and p.get("pod") == pod and p["pid"] not in (0, old)
            for p in own.now()["processes"]
        )
    )
    eventually(lambda: all(one["ready"] for one in own.pods()))
    eventually(
        lambda: (
            own.request(["--from", "client", "http://web/"])["summary"]["by_status"] == {"200": 1}
        )
    )


def test_a_changed_template_replaces_pods_without_a_failed_request(own: LiveMesh) -> None:
    old = own.pod("web")
    answers: list[dict[str, int]] = []
    running = threading.Event()

    def load() -> None:
        while not running.is_set():
            answers.append(
                own.request(["--from", "client", "http://web/", "--count", "100"])["summary"][
                    "by_status"
                ]
            )

    thread = threading.Thread(target=load)
    thread.start()
    own.apply(DEPLOYMENT.format(replicas=2, version="v2"))
    eventually(lambda: old not in [f"{pod['name']}.default" for pod in own.pods()], seconds=20)
    running.set()
    thread.join()
    assert all(set(answer) == {"200"} for answer in answers), answers
    assert len([pod for pod in own.pods() if pod["name"].startswith("web")]) == 2


def test_two_meshes_do_not_see_each_other(own: LiveMesh, mesh: LiveMesh) -> None:
    assert own.exec("client", "getent", "ahostsv4", "echo", check=False).returncode == 2
    assert mesh.request(["--from", "client", "http://echo/"])["summary"]["by_status"] == {"200": 1}


def test_a_mesh_that_runs_is_not_started_twice(own: LiveMesh) -> None:
    done = own.varka("up", "-d", check=False)
    assert done.returncode == 1
    assert "already running" in done.stderr
