"""The rows of `rows/*.yaml`, read and spelled out.

A row has `name`, `objects`, `calls`, and `covers`: the fields without which it fails. Where the answers do not show a field,
`sent` counts the requests that a proxy sent somewhere, and `config` looks at what Envoy got (`config:FIELD` in `covers`). With
`settle` the next row waits until the proxies have forgotten the objects: what they remember of this row would change it.

A row with `diagnostics` is about fields that have no effect: loading its objects says so, with this code and path
(`diagnostic:FIELD` in `covers`). It needs no mesh.

A row with `policy` stands for several: its traffic policy is put at each place that may hold one (`at`; by default all), its
`covers` are those below that place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).with_name("rows")
API = "networking.istio.io/v1"
SUBSET = "all"
PLACES = {
    "host": "trafficPolicy",
    "port": "trafficPolicy.portLevelSettings",
    "subset": "subsets.trafficPolicy",
    "subset port": "subsets.trafficPolicy.portLevelSettings",
}
"""Where a policy may stand -> the path of the field."""

Row = dict[str, Any]


def rows() -> Iterator[tuple[str, Row]]:
    """Every row with the name of its test."""
    for file in sorted(FOLDER.glob("*.yaml")):
        for row in yaml.safe_load(file.read_text()):
            for one in spelled_out(row) if "policy" in row else [row]:
                yield f"{file.stem}: {one['name']}", one


def spelled_out(row: Row) -> Iterator[Row]:
    """One row for each place of the row's policy."""
    for place in row.get("at") or PLACES:
        subset = SUBSET if place.startswith("subset") else ""
        objects = [_rule(row, place), *([_to_subset(row)] if subset else []), *(row.get("objects") or [])]
        covers = [_below(field, PLACES[place]) for field in row["covers"]]
        config = [{"subset": subset, **check} for check in row.get("config") or []]
        yield {**row, "name": f"{row['name']} ({place})", "objects": objects, "covers": covers, "config": config}


def _below(field: str, place: str) -> str:
    mark, colon, path = field.rpartition(":")
    return f"{mark}{colon}DestinationRule.{place}.{path}"


def _rule(row: Row, place: str) -> Row:
    policy: Mapping[str, Any] = row["policy"]
    if place.endswith("port"):
        policy = {"portLevelSettings": [{"port": {"number": row.get("port", 80)}, **policy}]}
    if place.startswith("subset"):
        spec = {"host": row["host"], "subsets": [{"name": SUBSET, "trafficPolicy": policy}]}
    else:
        spec = {"host": row["host"], "trafficPolicy": policy}
    return {"apiVersion": API, "kind": "DestinationRule", "metadata": {"name": "policy"}, "spec": spec}


def _to_subset(row: Row) -> Row:
    """The destination has a port: settings of a port count for routes to just that port, as in Istio."""
    port = row.get("port", 80)
    route = {
        "match": [{"port": port}],
        "route": [{"destination": {"host": row["host"], "subset": SUBSET, "port": {"number": port}}}],
    }
    spec = {"hosts": [row["host"]], "http": [route], "tcp": [route]}
    return {"apiVersion": API, "kind": "VirtualService", "metadata": {"name": "to-subset"}, "spec": spec}
