"""Every row of `rows/*.yaml`: objects go into the shared mesh, real requests through real Envoys say what they do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.calls import mismatches, request_of
from tests.e2e.rowsmesh import RowsMesh

ROWS = sorted((Path(__file__).parent / "rows").glob("*.yaml"))
DEADLINE = 10.0
"""Seconds that a call marked `until` may take to come true."""

Row = dict[str, Any]


def _rows() -> Iterator[Any]:
    """Rows without objects come first: nobody waits for proxies to forget the objects of the row before."""
    found = [(row, f"{file.stem}: {row['name']}") for file in ROWS for row in yaml.safe_load(file.read_text())]
    for row, name in sorted(found, key=lambda one: "objects" in one[0]):
        yield pytest.param(row, id=name)


@pytest.mark.e2e
@pytest.mark.parametrize("row", _rows())
def test_row(row: Row, rows_mesh: RowsMesh, without_objects: bool) -> None:
    if without_objects:
        if "objects" not in row:
            pytest.skip("has no objects")
        assert _first_failure(rows_mesh, row["calls"], patience=0), "passes without its objects"
        return
    objects = row.get("objects") or []
    try:
        if objects:
            rows_mesh.live.apply(objects)
        if wrong := _first_failure(rows_mesh, row["calls"], DEADLINE):
            pytest.fail(wrong, pytrace=False)
    finally:
        if objects:
            rows_mesh.live.delete(objects)


def _first_failure(mesh: RowsMesh, calls: list[Row], patience: float) -> str:
    return next((wrong for call in calls if (wrong := _failure(mesh, call, patience))), "")


def _failure(mesh: RowsMesh, call: Row, patience: float) -> str:
    """What is wrong with the call's answers; empty when nothing is."""
    deadline = time.monotonic() + (patience if call.get("until") else 0)
    while True:
        answer = mesh.send(call.get("from", "client.default"), request_of(call))
        wrong = mismatches(answer, call["expect"])
        if not wrong or time.monotonic() > deadline:
            break
    return f"{call['url']}: {'; '.join(wrong)}; the first answer: {answer['responses'][0]}" if wrong else ""
