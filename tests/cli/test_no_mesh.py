"""Every verb that needs a mesh ends with 69 when there is none of that name."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from testbed.live import VARKA, folders

MANIFEST = """
apiVersion: v1
kind: Pod
metadata: {name: p}
spec: {containers: [{name: c, image: i}]}
"""


@pytest.mark.parametrize(
    "words",
    [
        "request http://127.0.0.1:1/",
        "request --from client http://web/",
        "exec client -- true",
        "logs client",
        "logs -f client",
        "events",
        "events -f",
        "ps",
        "ps client -o json",
        "proxy-status",
        "proxy-config clusters client",
        "apply -f FILE",
        "delete -f FILE",
        "delete pod p",
        "get pods",
        "down",
    ],
)
def test_there_is_no_such_mesh(words: str, tmp_path: Path) -> None:
    manifest = tmp_path / "p.yaml"
    manifest.write_text(MANIFEST)
    verb, *rest = words.replace("FILE", str(manifest)).split()
    done = subprocess.run(
        [*VARKA, verb, "--name", "nowhere", *rest],
        env=folders(tmp_path),
        text=True,
        capture_output=True,
        timeout=30,
    )
    assert done.returncode == 69, done.stderr
    assert "no mesh 'nowhere' is running" in done.stderr
