"""grpc-go, where Go is installed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.certificates import Authority
from tests.xds.transport.serving import Serving, serving

from varka.xds.transport.tls import server_context

SOURCE = Path(__file__).parent / "goclient"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    go = shutil.which("go")
    if go is None:
        pytest.skip("Go is not installed")
    binary = tmp_path_factory.mktemp("go") / "client"
    modules = subprocess.run([go, "mod", "download"], cwd=SOURCE, capture_output=True, text=True)
    if modules.returncode:
        pytest.skip(f"grpc-go can't be had: {modules.stderr.strip()[-200:]}")
    subprocess.run([go, "build", "-o", str(binary), "."], cwd=SOURCE, check=True)
    return binary


@pytest.fixture(scope="module")
def served() -> Iterator[Serving]:
    with serving() as found:
        yield found


@pytest.mark.parametrize("kind", ["tcp", "unix", "tls", "mtls"])
def test_grpc_go(client: Path, served: Serving, tmp_path: Path, kind: str) -> None:
    authority, arguments = Authority.create(tmp_path / "ca"), []
    if kind == "unix":
        path = tmp_path / "s"
        served.call(lambda: served.server.listen_unix(path))
        target = f"unix:{path}"
    elif kind == "tcp":
        target = f"127.0.0.1:{served.port()}"
    else:
        pair, own = authority.issue("localhost"), authority.issue("client")
        context = server_context(
            pair.certificate.read_bytes(), pair.key.read_bytes(), authority.pem
        )
        port = served.call(lambda: served.server.listen_tcp("127.0.0.1", 0, context))
        target = f"127.0.0.1:{port}"
        arguments = [authority.pair.certificate]
        arguments += [own.certificate, own.key] if kind == "mtls" else []
    done = subprocess.run(
        [client, target, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stdout + done.stderr
