"""Every row of `rows/*.yaml`: objects go into the shared mesh, real requests through real Envoys say what they do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.calls import lacks, mismatches, request_of
from tests.e2e.rowsmesh import RowsMesh
from tests.e2e.table import Row, rows

DEADLINE = 10.0
"""Seconds that a call marked `until` may take to come true."""


def _parameters() -> Iterator[Any]:
    """Rows without objects come first: nobody waits for proxies to forget the objects of the row before."""
    for name, row in sorted(rows(), key=lambda one: "objects" in one[1]):
        yield pytest.param(row, id=name)


@pytest.mark.e2e
@pytest.mark.parametrize("row", _parameters())
def test_row(row: Row, rows_mesh: RowsMesh, without_objects: bool) -> None:
    if without_objects:
        if "objects" not in row:
            pytest.skip("has no objects")
        if not _first_failure(rows_mesh, row, patience=0):
            pytest.fail("passes without its objects", pytrace=False)
        return
    objects = row.get("objects") or []
    try:
        if objects:
            rows_mesh.live.apply(objects)
        if wrong := _first_failure(rows_mesh, row, DEADLINE):
            pytest.fail(wrong, pytrace=False)
    finally:
        if objects:
            rows_mesh.live.delete(objects)
        if row.get("settle"):
            rows_mesh.settle()


def _first_failure(mesh: RowsMesh, row: Row, patience: float) -> str:
    """What is wrong first; empty when nothing is."""
    for check in row.get("config") or []:
        found = mesh.cluster(check.get("from", "client.default"), check)
        if missing := lacks(found, check["has"]):
            return f"{check}: {'; '.join(missing)} in {found}"
    return next((wrong for call in row.get("calls") or [] if (wrong := _failure(mesh, call, patience))), "")


def _failure(mesh: RowsMesh, call: Row, patience: float) -> str:
    deadline = time.monotonic() + (patience if call.get("until") else 0)
    while True:
        answer = mesh.send(call.get("from", "client.default"), request_of(call))
        wrong = mismatches(answer, call["expect"])
        if not wrong or time.monotonic() > deadline:
            break
    return f"{call['url']}: {'; '.join(wrong)}; the first answer: {answer['responses'][0]}" if wrong else ""
