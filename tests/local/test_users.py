"""A mesh needs no privileges: the same as user `nobody`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from testbed.live import VARKA, LiveMesh, folders

import varka
from varka.local.system import kernel

pytestmark = pytest.mark.e2e

NOBODY = 65534
VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"


def interpreter() -> str | None:
    """A Python of our version that `nobody` may run: ours may be in somebody's home."""
    for candidate in (sys.executable, shutil.which(VERSION, path="/usr/bin:/usr/local/bin")):
        try:
            if candidate:
                subprocess.run(
                    [candidate, "-c", ""],
                    user=NOBODY,
                    group=NOBODY,
                    extra_groups=[],
                    cwd="/",
                    check=True,
                )
                return candidate
        except (OSError, subprocess.CalledProcessError):
            continue
    return None


class NobodysMesh(LiveMesh):
    def varka(
        self, *arguments: str, timeout: float = 30, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        command = [
            self.environment["PYTHON"],
            *VARKA[1:],
            arguments[0],
            "--name",
            self.name,
            *arguments[1:],
        ]
        done = subprocess.run(
            command,
            env=dict(self.environment),
            text=True,
            capture_output=True,
            timeout=timeout,
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            cwd="/",
        )
        assert not check or done.returncode == 0, (
            f"{arguments}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        return done


@pytest.fixture
def nobodys() -> Iterator[NobodysMesh]:
    if os.getuid() != 0:
        pytest.skip("only root can become somebody else")
    python = interpreter()
    if python is None:
        pytest.skip("no Python that nobody may run")
    folder = Path(tempfile.mkdtemp(prefix="vk"))
    shutil.copy(Path(__file__).parent / "mesh.yaml", folder)
    for path in (folder, folder / "mesh.yaml"):
        os.chown(path, NOBODY, NOBODY)
    packages = os.pathsep.join(entry for entry in sys.path if entry)
    source = str(Path(varka.__file__).parents[1])
    mesh = NobodysMesh(
        "nobody",
        {
            **folders(folder),
            "HOME": str(folder),
            "PYTHON": python,
            "PYTHONPATH": f"{source}{os.pathsep}{packages}",
        },
    )
    mesh.up(str(folder / "mesh.yaml"))
    yield mesh
    mesh.down()
    shutil.rmtree(folder)


def test_traffic_without_privileges(nobodys: NobodysMesh) -> None:
    assert nobodys.request(["--from", "client", "http://echo/", "--count", "10"])["summary"][
        "by_status"
    ] == {"200": 10}
    assert nobodys.request(["--from", "plain", "http://echo/"])["summary"]["by_status"] == {
        "200": 1
    }
    assert nobodys.request_through_gateway(["http://gateway/"])["summary"]["by_status"] == {
        "200": 1
    }
    assert nobodys.exec("client", "getent", "ahostsv4", "set-0.headless").stdout.startswith(
        "10.244."
    )
    assert Path(f"/proc/{nobodys.status['pid']}").stat().st_uid == NOBODY


def test_a_kernel_that_forbids_namespaces_is_named(tmp_path: Path) -> None:
    setting = tmp_path / "max"
    setting.write_text("0\n")
    found = kernel.why_forbidden(PermissionError(1, "no"), ((str(setting), "0", "sysctl x=1"),))
    assert str(setting).replace("/", ".") in str(found)
    assert "sysctl x=1" in found.hint


def test_a_kernel_that_lacks_something_is_named(tmp_path: Path) -> None:
    """What the kernel refuses inside the sandbox reaches the terminal."""
    script = """
import errno, sys
from varka.local.network import podspace
def refuse(addresses):
    raise OSError(errno.EOPNOTSUPP, "table varka: Operation not supported")
podspace.setup_node = refuse
from varka.cli.main import main
sys.argv = ["varka", "up", "-d", "--timeout", "10"]
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], env=folders(tmp_path), text=True, capture_output=True
    )
    assert done.returncode == 77, done.stderr
    assert "table varka: Operation not supported" in done.stderr
    assert "nf_tables" in done.stderr
