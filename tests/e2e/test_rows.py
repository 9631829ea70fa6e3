"""Every row of `rows/*.yaml`: objects go into the shared mesh, real requests through real Envoys
say what they do."""

from __future__ import annotations

import time
from typing import Any

import pytest
import yaml
from testbed.rows.table import Row, rows

from tests.e2e.calls import lacks, mismatches, request_of
from tests.e2e.rowsmesh import CLIENT, RowsMesh
from varka.resources.load import load_text

DEADLINE = 10.0
"""Seconds that a call marked `until` may take to come true."""
WRITTEN = 5.0
"""Seconds until a line must be in a log: Envoy writes once a second."""
COPIES = 1.0
"""Seconds until a mirrored request must have left."""


def _parameters(*, diagnosed: bool = False) -> list[Any]:
    """Rows without objects come first: nobody waits for proxies to forget the objects of the row
    before."""
    found = sorted(rows(), key=lambda one: "objects" in one[1])
    return [
        pytest.param(row, id=name) for name, row in found if diagnosed is ("diagnostics" in row)
    ]


@pytest.mark.parametrize("row", _parameters(diagnosed=True))
def test_fields_without_effect_are_named(row: Row) -> None:
    found = {
        (str(d.code), d.path)
        for d in load_text("row.yaml", yaml.safe_dump_all(row["objects"])).diagnostics
    }
    assert {(wanted["code"], wanted["path"]) for wanted in row["diagnostics"]} <= found


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
            rows_mesh.apply(objects)
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
        found = mesh.configured(check)
        if missing := lacks(found, check["has"]):
            return f"{check}: {'; '.join(missing)} in {found}"
    before = [mesh.sent(count) for count in row.get("sent") or []]
    written = [len(mesh.log(log)) for log in row.get("log") or []]
    wrong = next(
        (wrong for call in row.get("calls") or [] if (wrong := _failure(mesh, call, patience))), ""
    )
    wrong = wrong or next(
        (w for program in row.get("programs") or [] if (w := _misbehaves(mesh, program))), ""
    )
    wrong = wrong or next(
        (
            w
            for count, n in zip(row.get("sent") or [], before, strict=True)
            if (w := _miscount(mesh, count, n))
        ),
        "",
    )
    return wrong or next(
        (
            w
            for log, n in zip(row.get("log") or [], written, strict=True)
            if (w := _unwritten(mesh, log, n))
        ),
        "",
    )


def _misbehaves(mesh: RowsMesh, program: Row) -> str:
    said = mesh.run(program.get("from", CLIENT), program["run"])
    return next((f"{program}: printed {said!r}" for part in program["has"] if part not in said), "")


def _unwritten(mesh: RowsMesh, log: Row, before: int) -> str:
    deadline = time.monotonic() + WRITTEN
    while (
        missing := [part for part in log["has"] if part not in mesh.log(log)[before:]]
    ) and time.monotonic() < deadline:
        time.sleep(0.05)
    text = mesh.log(log)[before:]
    missing = [part for part in missing if part not in text]
    extra = [part for part in log.get("lacks") or () if part in text]
    return f"{log}: lacks {missing}, has {extra}: {text}" if missing or extra else ""


def _miscount(mesh: RowsMesh, count: Row, before: int) -> str:
    """Copies for mirrors are counted when they are sent, which may be after the answer."""
    low, high = count["requests"]
    deadline = time.monotonic() + COPIES
    while (sent := mesh.sent(count) - before) < low and time.monotonic() < deadline:
        time.sleep(0.05)
    return "" if low <= sent <= high else f"{count}: sent {sent}"


def _failure(mesh: RowsMesh, call: Row, patience: float) -> str:
    deadline = time.monotonic() + (patience if call.get("until") else 0)
    while True:
        answer = mesh.send(call.get("from", CLIENT), request_of(call, mesh.files))
        wrong = mismatches(answer, call["expect"])
        if not wrong or time.monotonic() > deadline:
            break
    return (
        f"{call['url']}: {'; '.join(wrong)}; the first answer: {answer['responses'][0]}"
        if wrong
        else ""
    )
