"""One mesh for all rows, and two ways to see that a row would notice what it is about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.rowsmesh import RowsMesh
from tests.live import LiveMesh, folders

MESH = Path(__file__).with_name("mesh.yaml")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--without-objects", action="store_true", help="Make the calls of rows without their objects: each row must fail."
    )


@pytest.fixture(scope="session")
def without_objects(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--without-objects", default=False))


@pytest.fixture(scope="session")
def rows_mesh(short_folder: Path) -> Iterator[RowsMesh]:
    (short_folder / "rows").mkdir()
    mesh = RowsMesh(LiveMesh("rows", folders(short_folder / "rows")))
    mesh.live.up(str(MESH))
    yield mesh
    mesh.close()
