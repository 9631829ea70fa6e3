"""Rows about what an EnvoyFilter's patch applies to.

A row with `hits` and `misses` stands for one EnvoyFilter in which each of the two matches adds a
header to answers: of all that the row's calls get, only the one of `hits` may be there. So a field
that is in `misses` alone, or differs there, is one without which the row fails. `patched` says what
is patched, `selects` whose Envoy (labels), `namespace` where the object is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Row = dict[str, Any]

MATCH = "EnvoyFilter.configPatches.match"
_LUA = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"


def spelled_out(row: Row) -> Iterator[Row]:
    patches = [_patch(row["patched"], header, row[header]) for header in ("hits", "misses")]
    spec = {"workloadSelector": {"labels": row["selects"]}, "configPatches": patches}
    metadata = {"name": "patched", "namespace": row.get("namespace", "default")}
    patched = {
        "apiVersion": "networking.istio.io/v1alpha3",
        "kind": "EnvoyFilter",
        "metadata": metadata,
        "spec": spec,
    }
    seen = {"headers": {"x-hits": "here", "x-misses": None}}
    yield {
        **row,
        "covers": [f"{MATCH}.{field}" for field in row["covers"]],
        "objects": [patched, *(row.get("objects") or [])],
        "calls": [{**call, "expect": {**seen, **call.get("expect", {})}} for call in row["calls"]],
    }


def _patch(applies_to: str, header: str, match: Row) -> Row:
    if applies_to == "HTTP_FILTER":
        code = f'function envoy_on_response(handle) handle:headers():add("x-{header}", "here") end'
        value: Row = {
            "name": header,
            "typed_config": {"@type": _LUA, "default_source_code": {"inline_string": code}},
        }
        return {
            "applyTo": applies_to,
            "match": match,
            "patch": {"operation": "INSERT_FIRST", "value": value},
        }
    value = {"response_headers_to_add": [{"header": {"key": f"x-{header}", "value": "here"}}]}
    return {"applyTo": applies_to, "match": match, "patch": {"operation": "MERGE", "value": value}}
