"""Rows about traffic policies.

A row with `policy` stands for several: its traffic policy is put at each place of a DestinationRule
that may hold one (`at`; by default all), its `covers` are those below that place; `rule` has
further fields of the DestinationRule. A row with `pool` is the same for the connections to the
workload: its settings are put at each place of a Sidecar. They are those of `set-0`, whose only
port is 8080; with `protocol` the Sidecar says what is spoken there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Row = dict[str, Any]

API = "networking.istio.io/v1"
SUBSET = "all"
PLACES = {
    "host": "trafficPolicy",
    "port": "trafficPolicy.portLevelSettings",
    "subset": "subsets.trafficPolicy",
    "subset port": "subsets.trafficPolicy.portLevelSettings",
}
"""Where a policy may stand -> the path of the field."""


POOLS = {"inbound": "inboundConnectionPool", "ingress": "ingress.connectionPool"}
"""Where a Sidecar may have connection pool settings -> the path of the field."""
POD = "set-0.default"
SERVED = 8080


def spelled_out(row: Row) -> Iterator[Row]:
    """One row for each place of the row's policy."""
    for place in row.get("at") or PLACES:
        subset = SUBSET if place.startswith("subset") else ""
        objects = [
            _rule(row, place),
            *([_to_subset(row)] if subset else []),
            *(row.get("objects") or []),
        ]
        covers = [_below(field, f"DestinationRule.{PLACES[place]}") for field in row["covers"]]
        config = [{"subset": subset, **check} for check in row.get("config") or []]
        yield {
            **row,
            "name": f"{row['name']} ({place})",
            "objects": objects,
            "covers": covers,
            "config": config,
        }


def pools(row: Row) -> Iterator[Row]:
    """One row for each place of the row's connection pool settings."""
    for place, path in POOLS.items():
        covers = [_below(field, f"Sidecar.{path}") for field in row["covers"]]
        config = [
            {"from": POD, "cluster": f"inbound|{SERVED}||", **check}
            for check in row.get("config") or []
        ]
        yield {
            **row,
            "name": f"{row['name']} ({place})",
            "objects": [_sidecar(row, place)],
            "covers": covers,
            "config": config,
        }


def _sidecar(row: Row, place: str) -> Row:
    """The ingress listener is there when it holds the settings, or must say the protocol."""
    ingress = {"port": {"number": SERVED, "name": "in", "protocol": row.get("protocol", "HTTP")}}
    spec: Row = {"workloadSelector": {"labels": {"app": "set"}}}
    if place == "ingress":
        spec["ingress"] = [{**ingress, "connectionPool": row["pool"]}]
    else:
        spec |= {
            "inboundConnectionPool": row["pool"],
            "ingress": [ingress] if "protocol" in row else [],
        }
    return {"apiVersion": API, "kind": "Sidecar", "metadata": {"name": "pool"}, "spec": spec}


def _below(field: str, place: str) -> str:
    mark, colon, path = field.rpartition(":")
    return f"{mark}{colon}{place}.{path}"


def _rule(row: Row, place: str) -> Row:
    policy: Mapping[str, Any] = row["policy"]
    if place.endswith("port"):
        policy = {"portLevelSettings": [{"port": {"number": row.get("port", 80)}, **policy}]}
    if place.startswith("subset"):
        spec = {"host": row["host"], "subsets": [{"name": SUBSET, "trafficPolicy": policy}]}
    else:
        spec = {"host": row["host"], "trafficPolicy": policy}
    spec |= row.get("rule") or {}
    return {
        "apiVersion": API,
        "kind": "DestinationRule",
        "metadata": {"name": "policy"},
        "spec": spec,
    }


def _to_subset(row: Row) -> Row:
    """The destination has a port: settings of a port count for routes to just that port, as in
    Istio."""
    port = row.get("port", 80)
    route = {
        "match": [{"port": port}],
        "route": [
            {"destination": {"host": row["host"], "subset": SUBSET, "port": {"number": port}}}
        ],
    }
    spec = {"hosts": [row["host"]], "http": [route], "tcp": [route]}
    return {
        "apiVersion": API,
        "kind": "VirtualService",
        "metadata": {"name": "to-subset"},
        "spec": spec,
    }
