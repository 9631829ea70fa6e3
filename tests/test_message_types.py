"""Messages of Envoy have types: what is misspelt or of the wrong type fails the type check."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
WRONG = """
from envoy.config.cluster.v3 import cluster_pb2

cluster = cluster_pb2.Cluster(name="a")
cluster_pb2.Cluster(nmae="a")
cluster_pb2.Cluster(name=1)
cluster.conect_timeout.seconds = 1
"""


def test_a_misspelt_field_and_a_wrong_type_are_errors(tmp_path: Path) -> None:
    typings = tmp_path / "typings"
    subprocess.run([sys.executable, ROOT / "tools/make_stubs.py", typings], check=True)
    (tmp_path / "wrong.py").write_text(WRONG)
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "wrong.py"],
        cwd=tmp_path,
        env={"MYPYPATH": str(typings)},
        capture_output=True,
        text=True,
    )
    lines = [line.split(": ")[0] for line in checked.stdout.splitlines() if ": error: " in line]
    assert lines == ["wrong.py:5", "wrong.py:6", "wrong.py:7"], checked.stdout
