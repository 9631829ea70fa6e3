#!/usr/bin/env python3
"""Write `varka/resources/data/istio-crds.json` from a dump of Istio's CustomResourceDefinitions.

    tools/make_schemas.py CRDS.json

The dump is `{"crds": [{group, kind, plural, singular, shortNames, scope, versions: [{name, served,
storage, schema}]}]}`. All versions of an Istio kind have one schema, so one is kept, in the short
form that `varka.resources.schema` reads: a `oneOf` that says "at most one of these fields" becomes
`exclusive`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parent.parent / "src/varka/resources/data/istio-crds.json"
KEPT = (
    *("type", "required", "enum", "pattern", "format", "nullable"),
    *(
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
    ),
)
DROPPED = ("x-kubernetes-list-map-keys", "x-kubernetes-list-type", "default", "description")


def exclusive(alternatives: list[dict[str, Any]]) -> list[str]:
    """The names of `oneOf: [{not: {anyOf: [required a, required b]}}, required a, required b]`."""
    names = [name for arm in alternatives for name in arm.get("required", ())]
    none_of = [
        name
        for arm in alternatives
        for choice in arm.get("not", {}).get("anyOf", ())
        for name in choice["required"]
    ]
    assert sorted(names) == sorted(none_of), alternatives
    return names


def short(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema in the form that `varka.resources.schema` reads."""
    result = {key: schema[key] for key in KEPT if key in schema}
    groups = [
        exclusive(part["oneOf"]) for part in (schema, *schema.get("allOf", ())) if "oneOf" in part
    ]
    if groups:
        result["exclusive"] = groups
    if schema.get("x-kubernetes-int-or-string"):
        result["intOrString"] = True
        result.pop("type", None)
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        result["preserve"] = True
    if "x-kubernetes-validations" in schema:
        result["rules"] = [
            [" ".join(r["rule"].split()), r.get("message", r["rule"])]
            for r in schema["x-kubernetes-validations"]
        ]
    if "properties" in schema:
        result["properties"] = {name: short(inner) for name, inner in schema["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            result[key] = short(schema[key])
    known = {
        *KEPT,
        *DROPPED,
        "oneOf",
        "allOf",
        "anyOf",
        "properties",
        "items",
        "additionalProperties",
    }
    extensions = {
        "x-kubernetes-int-or-string",
        "x-kubernetes-preserve-unknown-fields",
        "x-kubernetes-validations",
    }
    assert not set(schema) - known - extensions, set(schema) - known
    assert "anyOf" not in schema or "intOrString" in result, schema
    return result


def compact(crd: dict[str, Any]) -> dict[str, Any]:
    served = [v for v in crd["versions"] if v["served"]]
    schema = next(v["schema"] for v in crd["versions"] if "sameAs" not in v["schema"])
    return {
        "group": crd["group"],
        "kind": crd["kind"],
        "plural": crd["plural"],
        "singular": crd["singular"],
        "shortNames": crd["shortNames"],
        "namespaced": crd["scope"] == "Namespaced",
        "versions": [v["name"] for v in served],
        "storage": next(v["name"] for v in crd["versions"] if v["storage"]),
        "spec": short(schema["properties"]["spec"]),
        "required": schema.get("required", []),
    }


def main() -> None:
    crds = json.loads(Path(sys.argv[1]).read_text())["crds"]
    OUT.write_text(json.dumps([compact(c) for c in crds], separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
