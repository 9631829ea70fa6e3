"""What pods reach and how, through real namespaces, rules and Envoys."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from testbed.live import LiveMesh, eventually

pytestmark = pytest.mark.e2e


def status_of(answer: dict[str, Any]) -> Any:
    return answer["responses"][0]["status"] or answer["responses"][0]["error"]


@contextmanager
def server_on_this_machine(answer: bytes) -> Iterator[int]:
    """A TCP server on 127.0.0.1 that answers each connection with the same bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(4096)
                    connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("pod", ["client", "plain"])
def test_a_service_answers_from_all_its_pods(mesh: LiveMesh, pod: str) -> None:
    answer = mesh.request(["--from", pod, "http://echo/", "--count", "40"])
    assert answer["summary"]["by_status"] == {"200": 40}
    assert set(answer["summary"]["by_version"]) == {"v1", "v2"}


def test_a_sidecar_sends_through_envoy_and_receives_through_envoy(mesh: LiveMesh) -> None:
    response = mesh.request(["--from", "client", "http://echo/"])["responses"][0]
    assert response["headers"]["server"] == "envoy"
    assert response["echo"]["peer"] == "127.0.0.6"


def test_a_pod_without_sidecar_is_not_captured(mesh: LiveMesh) -> None:
    response = mesh.request(["--from", "client", f"http://{address_of(mesh, 'plain')}:8080/"])[
        "responses"
    ][0]
    assert response["echo"]["peer"] == address_of(mesh, "client")


def address_of(mesh: LiveMesh, name: str) -> str:
    return str(next(pod["ip"] for pod in mesh.pods() if pod["name"] == name))


def test_a_pod_that_calls_its_own_service_comes_back_through_its_inbound_side(
    mesh: LiveMesh,
) -> None:
    pod = mesh.pod("echo-v1")
    answer = mesh.request(["--from", pod, "http://echo/", "--count", "20"])
    own = [r["echo"] for r in answer["responses"] if r["echo"]["version"] == "v1"]
    assert own
    assert {echo["peer"] for echo in own} == {"127.0.0.6"}


@pytest.mark.parametrize("pod", ["client", "plain"])
@pytest.mark.parametrize(
    "host",
    [
        "echo",
        "echo.default",
        "echo.default.svc",
        "echo.default.svc.cluster.local",
        "headless",
        "set-1.headless",
        "alias",
    ],
)
def test_names(mesh: LiveMesh, pod: str, host: str) -> None:
    found = mesh.exec(pod, "getent", "ahostsv4", host).stdout
    assert found.startswith("10."), found


def test_a_name_that_does_not_exist_is_refused_at_once(mesh: LiveMesh) -> None:
    assert (
        mesh.exec(
            "client", "getent", "ahostsv4", "nobody.default.svc.cluster.local", check=False
        ).returncode
        == 2
    )


def test_a_port_that_no_service_has_is_refused(mesh: LiveMesh) -> None:
    assert (
        status_of(mesh.request(["--from", "plain", "http://echo:81/", "--timeout", "3"]))
        == "connect"
    )


@pytest.mark.parametrize("pod", ["client", "plain"])
def test_this_machine_is_reached_by_its_name(mesh: LiveMesh, pod: str) -> None:
    with server_on_this_machine(
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nyes"
    ) as port:
        response = mesh.request(["--from", pod, f"http://host.varka.internal:{port}/"])[
            "responses"
        ][0]
    assert (response["status"], response["body"]) == (200, "yes")


def test_the_gateway_is_published(mesh: LiveMesh) -> None:
    answer = mesh.request_through_gateway(["http://gateway/", "--count", "10"])
    assert answer["summary"]["by_status"] == {"200": 10}


def test_a_command_passes_on_its_exit_code(mesh: LiveMesh) -> None:
    assert mesh.exec("client", "sh", "-c", "exit 7", check=False).returncode == 7
    assert mesh.exec("client", "no-such-program", check=False).returncode == 127


def test_excluded_ports_are_not_captured(mesh: LiveMesh) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "excluding",
            "labels": {"app": "excluding"},
            "annotations": {
                "traffic.sidecar.istio.io/excludeOutboundPorts": "80",
                "traffic.sidecar.istio.io/excludeInboundPorts": "8081",
            },
        },
        "spec": {
            "containers": [{"name": "app", "image": "app", "ports": [{"containerPort": 8081}]}]
        },
    }
    mesh.apply([pod])
    try:
        eventually(lambda: any(one["name"] == "excluding" and one["ready"] for one in mesh.pods()))
        outbound = mesh.request(["--from", "excluding", "http://echo/"])["responses"][0]
        assert outbound["headers"].get("server") != "envoy"
        inbound = mesh.request(
            ["--from", "plain", f"http://{address_of(mesh, 'excluding')}:8081/"]
        )["responses"][0]
        assert inbound["echo"]["peer"] == address_of(mesh, "plain")
    finally:
        mesh.delete([pod])
    eventually(lambda: all(one["name"] != "excluding" for one in mesh.pods()))


def test_logs_show_the_proxy_and_the_workload(mesh: LiveMesh) -> None:
    assert "envoy" in mesh.varka("logs", mesh.pod("echo-v1"), "-c", "istio-proxy").stdout
    assert mesh.varka("logs", "nobody", check=False).returncode == 1


def test_a_proxy_does_not_warn_of_what_nobody_configured(mesh: LiveMesh) -> None:
    assert "downstream connections" not in mesh.varka("logs", "client", "-c", "istio-proxy").stdout


def test_json_of_up_names_every_process(mesh: LiveMesh) -> None:
    roles = {process["role"] for process in mesh.status["processes"]}
    assert {"supervisor", "control-plane", "envoy", "workload"} <= roles
    assert json.dumps(mesh.status["published"])
