"""Asking the Envoy of a running pod."""

import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from varka.cli.exits import NO_MESH, Failure
from varka.cli.live import LivePod, envoy_admin, find_pod


class Admin(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = f"{self.command} {self.path}".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return ""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def admin(tmp_path: Path) -> Iterator[str]:
    path = str(tmp_path / "admin.sock")
    with socketserver.UnixStreamServer(path, Admin) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield path
        server.shutdown()
        thread.join()


def pod(admin: str) -> LivePod:
    return LivePod(1, {"name": "a-0", "namespace": "default", "admin": admin})


def test_over_its_socket(admin: str) -> None:
    assert envoy_admin(pod(admin), "logging?level=debug", "POST") == "POST /logging?level=debug"


def test_a_pod_without_proxy_or_with_a_dead_one(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="has no proxy"):
        envoy_admin(pod(""), "clusters")
    with pytest.raises(Failure, match=r"a-0\.default does not answer"):
        envoy_admin(pod(str(tmp_path / "nobody.sock")), "clusters")


def test_no_mesh_is_69(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with pytest.raises(Failure) as failed:
        find_pod(None, "a-0", "default")
    assert failed.value.code == NO_MESH
