"""Where a mesh configuration comes from, and what pods do with what it says of their proxies: a
mesh of its own, since here pods are started again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from testbed.live import LiveMesh, eventually, folders

from varka.cli.live import LivePod, envoy_admin

pytestmark = pytest.mark.e2e

MANIFESTS = """
apiVersion: v1
kind: Service
metadata: {name: echo}
spec: {selector: {app: echo}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: echo}
spec:
  selector: {matchLabels: {app: echo}}
  template:
    metadata: {labels: {app: echo}}
    spec: {containers: [{name: echo, image: echo, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Pod
metadata:
  name: client
  labels: {app: client}
  annotations:
    proxy.istio.io/config: >-
      {fileFlushInterval: 20ms, proxyMetadata: {ISTIO_META_OF: pod, ISTIO_META_OWN: pod}}
spec: {containers: [{name: client, image: client, ports: [{containerPort: 8080}]}]}
"""
FIRST = (
    "defaultConfig: {concurrency: 2, serviceCluster: named, proxyMetadata: {ISTIO_META_OF: mesh,"
    " ISTIO_META_ALL: mesh}}\n"
)
OPERATOR = """
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: op, namespace: istio-system}
spec: {meshConfig: {accessLogFile: /dev/stdout}}
"""
CONFIG_MAP = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata:\n "
    " mesh: |\n    "
)


class Mesh(LiveMesh):
    """`file` is that of `--mesh-config`."""

    file: Path

    def save(self, text: str) -> None:
        self.file.write_text(text)

    def says(self, path: str, pod: str = "client") -> dict[str, Any]:
        """What a pod's Envoy says of itself; nothing while it is started again."""
        found = next((one for one in self.pods() if one["name"].startswith(pod)), None)
        if found is None or not found["ready"]:
            return {}
        answer: dict[str, Any] = json.loads(envoy_admin(LivePod(0, found), path))
        return answer

    def answer(self, *flags: str) -> dict[str, Any]:
        """The answer to a request of the client; an empty one while its pod is started again."""
        done = self.varka("request", "-o", "json", "--from", "client", *flags, check=False)
        found: dict[str, Any] = (
            json.loads(done.stdout)["responses"][0]
            if done.stdout.startswith("{")
            else {"headers": {}}
        )
        return found

    def logged(self, text: str) -> bool:
        self.answer(f"http://echo/{text}")
        return text in self.log()

    def log(self) -> str:
        return self.varka("logs", "client", "-c", "istio-proxy", check=False).stdout

    def diagnostics(self) -> list[dict[str, Any]]:
        return list(self.api("GET", "/status")["diagnostics"])


@pytest.fixture(scope="module")
def running(short_folder: Path) -> Iterator[Mesh]:
    folder = short_folder / "meshconfig"
    folder.mkdir()
    mesh = Mesh("meshconfig", folders(folder))
    mesh.file = folder / "mesh-config.yaml"
    mesh.save(FIRST)
    (folder / "pods.yaml").write_text(MANIFESTS)
    mesh.up(str(folder / "pods.yaml"), "--mesh-config", str(mesh.file))
    yield mesh
    mesh.down()


@pytest.fixture
def mesh(running: Mesh) -> Iterator[Mesh]:
    yield running
    running.save(FIRST)
    eventually(lambda: _as_first(running), 20)


def _as_first(mesh: Mesh) -> bool:
    """Pods that had to be started again are, and reach each other."""
    options = mesh.says("server_info").get("command_line_options", {})
    if options.get("concurrency") != 2:
        return False
    return bool(mesh.answer("http://echo/")["headers"].get("server") == "envoy")


def test_a_saved_file_is_obeyed(mesh: Mesh) -> None:
    assert not mesh.logged("before")
    mesh.save(FIRST + "accessLogFile: /dev/stdout\n")
    eventually(lambda: mesh.logged("after"))


def test_a_broken_file_is_told_and_changes_nothing(mesh: Mesh) -> None:
    mesh.save(FIRST + "accessLogFile: /dev/stdout\n")
    eventually(lambda: mesh.logged("good"))
    mesh.save(FIRST + "accessLogFile: 7\nconnectTimeout: soon\n")
    eventually(lambda: any(d["path"] == "connectTimeout" for d in mesh.diagnostics()))
    told = {d["path"]: (d["severity"], Path(d["file"]).name, d["line"]) for d in mesh.diagnostics()}
    assert told["connectTimeout"] == ("error", "mesh-config.yaml", 3)
    eventually(lambda: mesh.logged("still-good"))


def test_objects_hold_a_mesh_configuration(mesh: Mesh) -> None:
    mesh.apply(OPERATOR)
    shadowed = [d for d in mesh.diagnostics() if d["code"] == "V7022"]
    assert [d["object"]["kind"] for d in shadowed] == ["IstioOperator"]
    answer = mesh.api(
        "POST",
        "/objects",
        {"texts": [["m.yaml", CONFIG_MAP + "connectTimeout: 0s"]], "wait": True, "timeout": 20},
    )
    (refused,) = answer["refused"]
    assert [(d["path"], d["line"]) for d in refused["diagnostics"]] == [
        ("data.mesh.connectTimeout", 6)
    ]
    mesh.apply(CONFIG_MAP + "{accessLogFile: /dev/stdout, accessLogFormat: 'applied %REQ(:PATH)%'}")
    eventually(lambda: mesh.logged("with-map") and "applied /with-map" in mesh.log())
    mesh.api(
        "DELETE",
        "/objects",
        {"objects": [{"kind": "ConfigMap", "name": "istio", "namespace": "istio-system"}]},
    )
    eventually(lambda: mesh.logged("with-operator"))
    mesh.delete(OPERATOR)


def test_fields_without_effect_are_told_with_their_place(mesh: Mesh) -> None:
    mesh.save(FIRST + "enablePrometheusMerge: false\n")
    eventually(lambda: any(d["code"] == "V7021" for d in mesh.diagnostics()))
    (told,) = (d for d in mesh.diagnostics() if d["code"] == "V7021")
    assert (told["path"], Path(told["file"]).name, told["line"]) == (
        "data.mesh.enablePrometheusMerge",
        "mesh-config.yaml",
        2,
    )


def test_a_pods_own_settings_over_the_meshs(mesh: Mesh) -> None:
    """Covers MeshConfig.defaultConfig.serviceCluster, MeshConfig.defaultConfig.concurrency."""
    info = mesh.says("server_info")
    assert info["command_line_options"]["concurrency"] == 2
    assert info["command_line_options"]["file_flush_interval"] == "0.020s"
    assert info["node"]["cluster"] == "named"
    assert {key: info["node"]["metadata"].get(key) for key in ("OF", "OWN", "ALL")} == {
        "OF": "pod",
        "OWN": "pod",
        "ALL": "mesh",
    }
    mesh.save(FIRST.replace("concurrency: 2", "concurrency: 1"))
    eventually(
        lambda: mesh.says("server_info").get("command_line_options", {}).get("concurrency") == 1, 20
    )
    assert mesh.answer("http://echo/")["status"] == 200


def test_proxyconfigs(mesh: Mesh) -> None:
    """Covers ProxyConfig.concurrency, ProxyConfig.environmentVariables,
    ProxyConfig.selector.matchLabels."""
    selector = {"matchLabels": {"app": "client"}}
    spec = {
        "selector": selector,
        "concurrency": 3,
        "environmentVariables": {"ISTIO_META_OWN": "object"},
        "image": {"imageType": "debug"},
    }
    config = {
        "apiVersion": "networking.istio.io/v1beta1",
        "kind": "ProxyConfig",
        "metadata": {"name": "own"},
        "spec": spec,
    }
    mesh.apply([config])
    eventually(
        lambda: mesh.says("server_info").get("command_line_options", {}).get("concurrency") == 3, 20
    )
    assert mesh.says("server_info")["node"]["metadata"]["OWN"] == "object"
    assert mesh.says("server_info", "echo")["command_line_options"]["concurrency"] == 2
    assert [d["path"] for d in mesh.diagnostics() if d["code"] == "V7021"] == ["spec.image"]
    mesh.delete([config])


def test_other_ports_of_proxies(mesh: Mesh) -> None:
    """Covers MeshConfig.proxyListenPort, MeshConfig.proxyInboundListenPort."""
    mesh.save(FIRST + "proxyListenPort: 15101\nproxyInboundListenPort: 15106\n")
    eventually(
        lambda: (
            _port(mesh, "client", "virtualOutbound") == 15101
            and _port(mesh, "echo", "virtualInbound") == 15106
        ),
        20,
    )
    eventually(lambda: mesh.answer("http://echo/")["headers"].get("server") == "envoy")
    assert mesh.answer("http://echo/")["echo"]["peer"] == "127.0.0.6"


def _port(mesh: Mesh, pod: str, listener: str) -> int:
    dump = mesh.says("config_dump?resource=dynamic_listeners", pod).get("configs", [])
    found = [one["active_state"]["listener"] for one in dump if one["name"] == listener]
    return int(found[0]["address"]["socket_address"]["port_value"]) if found else 0


def test_nothing_is_captured(mesh: Mesh) -> None:
    """Covers MeshConfig.defaultConfig.interceptionMode."""
    assert mesh.answer("http://echo/")["headers"]["server"] == "envoy"
    mesh.save(FIRST.replace("{concurrency", "{interceptionMode: NONE, concurrency"))
    eventually(
        lambda: (
            mesh.says("server_info").get("node", {}).get("metadata", {}).get("INTERCEPTION_MODE")
            == "NONE"
        ),
        20,
    )
    eventually(lambda: mesh.answer("http://echo/")["headers"].get("server") == "varka-echo")


ASK = (
    r"exec 3<>/dev/tcp/127.0.0.1/15021; printf 'GET /healthz/ready HTTP/1.1\r\nhost: a\r\n\r\n'"
    r" >&3; head -1 <&3; sleep 600"
)
"""A program that asks at its very start whether the proxy is ready, and stays."""


def test_applications_wait_for_their_proxy(mesh: Mesh) -> None:
    """Covers MeshConfig.defaultConfig.holdApplicationUntilProxyStarts."""
    run = shlex.join(["bash", "-c", ASK])
    annotations = {
        "varka.dev/run.app": run,
        "proxy.istio.io/config": "holdApplicationUntilProxyStarts: true",
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "held", "annotations": annotations},
        "spec": {"containers": [{"name": "app", "image": "app"}]},
    }
    mesh.apply([pod])
    eventually(lambda: "held" in {one["name"] for one in mesh.pods()})
    eventually(lambda: bool(mesh.varka("logs", "held", "-c", "app").stdout))
    assert mesh.varka("logs", "held", "-c", "app").stdout.strip() == "HTTP/1.1 200 OK"
    mesh.delete([pod])
