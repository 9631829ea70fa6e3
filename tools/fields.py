#!/usr/bin/env python3
"""Write docs/fields.md: every field of the networking kinds, MeshConfig and Telemetry, and the test
that saw it work.

    tools/fields.py            write the page
    tools/fields.py --check    fail when the page is not what the schemas and the tests say

MeshConfig has no schema of its own: its fields are those of the model that the product reads it
with. A field is covered by the rows in tests/e2e/rows (`covers`), each of which sends traffic
through real Envoys, or looks at what they got where traffic shows nothing; fields without effect
are those of the product's own table, by which it tells its users.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import msgspec  # noqa: E402
from testbed.rows.table import rows  # noqa: E402

from varka.analyze.no_effect import NO_EFFECT, UNREAD  # noqa: E402
from varka.resources.kinds import istio_crds  # noqa: E402
from varka.resources.model.mesh import MeshConfig  # noqa: E402
from varka.resources.shape import inner_message, message_fields  # noqa: E402

PAGE = ROOT / "docs/fields.md"
GROUPS = ("networking.istio.io", "telemetry.istio.io")

OUT_OF_SCOPE: dict[str, str] = {
    "EnvoyFilter.configPatches.match.waypoint": "waypoints (ambient) are not built",
    "EnvoyFilter.targetRefs": "refers to waypoints and Gateway API objects",
    "WorkloadGroup": "describes virtual machines that register themselves at an istiod",
    "ServiceEntry.endpoints.network": "one network only",
    "WorkloadEntry.network": "one network only",
}
"""Prefix of a field -> why nothing can be seen of it in a mesh on one machine."""

STATES = {
    "": "works ({name})",
    "config": "in Envoy's configuration ({name})",
    "diagnostic": "diagnostic ({codes})",
}
"""Mark of a field in a row's `covers` -> what the row shows of it."""


def fields(schema: Mapping[str, Any], path: str) -> Iterator[str]:
    """Paths of all leaves below a schema; list and map steps have no mark of their own."""
    while "items" in schema:
        schema = schema["items"]
    extra = schema.get("additionalProperties")
    if isinstance(extra, Mapping) and extra.get("properties"):
        schema = extra
    properties: Mapping[str, Any] = schema.get("properties") or {}
    if not properties:
        yield path
    for name, inner in properties.items():
        yield from fields(inner, f"{path}.{name}")


def model_fields(model: type[msgspec.Struct], path: str) -> Iterator[str]:
    """Paths of all leaves below a message, from its model; a message without fields is a leaf."""
    fields_ = message_fields(model)
    if not fields_:
        yield path
    for name, field in fields_.items():
        inner = inner_message(field.type)
        yield from model_fields(inner, f"{path}.{name}") if inner else (f"{path}.{name}",)


def all_fields() -> dict[str, list[str]]:
    """The paths of all fields of each kind."""
    crds = [crd for crd in istio_crds() if crd["group"] in GROUPS]
    return {
        "MeshConfig": list(model_fields(MeshConfig, "MeshConfig")),
        **{crd["kind"]: list(fields(crd["spec"], crd["kind"])) for crd in crds},
    }


def tested() -> Iterator[tuple[str, str]]:
    """Fields that tests other than rows see working (`Covers FIELD, FIELD.` in their docstrings),
    with the test."""
    for file in sorted((ROOT / "tests/e2e").glob("test_*.py")):
        body = ast.parse(file.read_text()).body
        for function in (node for node in body if isinstance(node, ast.FunctionDef)):
            name = f"{file.name}: {function.name}"
            for listed in re.findall(r"Covers ([\w., ]+)\.", ast.get_docstring(function) or ""):
                yield from ((field, name) for field in listed.split(", "))


def covered() -> dict[str, str]:
    """Field -> what the first row that covers it saw, or else a test."""
    seen: dict[str, str] = {}
    for name, row in rows():
        codes = ", ".join(sorted({one["code"] for one in row.get("diagnostics") or ()}))
        for text in row.get("covers") or ():
            mark, _, field = text.rpartition(":")
            seen.setdefault(field, STATES[mark].format(name=name, codes=codes))
    for field, name in tested():
        seen[field] = STATES[""].format(name=name)
    return seen


def status(field: str, seen: Mapping[str, str]) -> str:
    for known, what in (
        *seen.items(),
        *((field, f"out of scope: {why}") for field, why in OUT_OF_SCOPE.items()),
    ):
        if field == known or field.startswith(known + "."):
            return what
    return ""


def page() -> str:
    kinds = all_fields()
    covers = {
        **covered(),
        **{field: f"diagnostic ({NO_EFFECT}): {why}" for field, why in UNREAD.items()},
    }
    if both := sorted(
        field for field in covered() if any(f"{field}.".startswith(f"{vain}.") for vain in UNREAD)
    ):
        raise SystemExit("fields without effect that rows saw working: " + ", ".join(both))
    unknown = sorted(
        f
        for f in covers
        if not any(f == k or k.startswith(f + ".") for names in kinds.values() for k in names)
    )
    if unknown:
        raise SystemExit("rows cover fields that no schema has: " + ", ".join(unknown))
    if silent := [f for names in kinds.values() for f in names if not status(f, covers)]:
        raise SystemExit("no test says what becomes of these fields: " + ", ".join(silent))
    total = sum(map(len, kinds.values()))
    states = [status(f, covers) for names in kinds.values() for f in names]
    worked = sum(state.startswith("works") for state in states)
    configured = sum(state.startswith("in Envoy") for state in states)
    lines = [
        "# Fields of Istio's networking API, MeshConfig and Telemetry",
        "",
        (
            "Made by `tools/fields.py` from the schemas and the tests in `tests/e2e`; CI fails when"
            " it is out of date."
        ),
        (
            f"Of {total} fields {worked} were seen working in traffic; of {configured} more, which"
            " no traffic shows, what Envoy got."
        ),
    ]
    for kind, names in sorted(kinds.items()):
        lines += ["", f"## {kind}", "", "| field | status |", "|---|---|"]
        lines += [f"| {name.removeprefix(kind + '.')} | {status(name, covers)} |" for name in names]
    return "\n".join(lines) + "\n"


def main() -> int:
    text = page()
    if "--check" in sys.argv:
        if not PAGE.exists() or PAGE.read_text() != text:
            print("docs/fields.md is out of date: run tools/fields.py", file=sys.stderr)
            return 1
        return 0
    PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
