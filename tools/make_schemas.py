#!/usr/bin/env python3
"""Write `varka/resources/data/istio-crds.json` from a dump of Istio's CustomResourceDefinitions.

    tools/make_schemas.py CRDS.json

The dump is `{"crds": [{group, kind, plural, singular, shortNames, scope, versions: [{name, served,
storage, schema}]}]}`. All versions of an Istio kind have one schema, so one is kept.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parent.parent / "src/varka/resources/data/istio-crds.json"


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
        "spec": schema["properties"]["spec"],
        "required": schema.get("required", []),
    }


def main() -> None:
    crds = json.loads(Path(sys.argv[1]).read_text())["crds"]
    OUT.write_text(json.dumps([compact(c) for c in crds], separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
