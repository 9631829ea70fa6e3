"""One mesh for all rows, and a way to see that a row would notice what it is about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from testbed.live import LiveMesh, folders

from tests.certificates import Authority
from tests.e2e.rowsmesh import RowsMesh

MESH = Path(__file__).with_name("mesh.yaml")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--without-objects",
        action="store_true",
        help="Make the calls of rows without their objects: each row must fail.",
    )


@pytest.fixture(scope="session")
def without_objects(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--without-objects", default=False))


@pytest.fixture(scope="session")
def rows_mesh(short_folder: Path) -> Iterator[RowsMesh]:
    folder = short_folder / "rows"
    authority = Authority.create(folder)
    secure = authority.issue("secure.test", identity="spiffe://cluster.local/ns/default/sa/secure")
    authority.revoke("secure-revoked", secure)
    authority.issue("secure.test", "rsa", rsa=True)
    authority.issue("other.test")
    authority.revoke("client-revoked", authority.issue("client.test"))
    Authority.create(folder / "stranger").issue("client.test", "../stranger.test")
    mesh = RowsMesh(
        LiveMesh("rows", folders(folder) | {"ENABLE_TLS_ON_SIDECAR_INGRESS": "true"}), folder
    )
    (folder / MESH.name).write_text(mesh.filled_in(MESH.read_text()))
    mesh.live.up(str(folder / MESH.name))
    yield mesh
    mesh.close()
