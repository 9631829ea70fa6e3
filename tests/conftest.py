"""What tests of several areas share."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from testbed.live import LiveMesh, folders

MESH = Path(__file__).parent / "local" / "mesh.yaml"


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Path]:
    """A folder with a short name: paths of unix sockets may have 107 characters."""
    folder = Path(tempfile.mkdtemp(prefix="vk"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def mesh(short_folder: Path) -> Iterator[LiveMesh]:
    """One mesh for the whole session, of `tests/local/mesh.yaml`; a test removes what it
    applies."""
    live = LiveMesh("tests", folders(short_folder))
    live.up(str(MESH))
    yield live
    live.down()
