"""Our check before sending and Envoy itself agree about what was generated."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from tests.envoy.test_goldens import CLUSTERS, ENVOY, LISTENERS
from tests.properties.objects import Plain, meshes
from tests.properties.world import accepted, compiled, proxies, resources

from varka.envoy.dump import to_json
from varka.envoy.resource import EnvoyResource, TypeUrl

CONTROL = {
    "name": "control",
    "type": "STATIC",
    "http2_protocol_options": {},
    "load_assignment": {"cluster_name": "control"},
}
ADS = {
    "api_type": "DELTA_GRPC",
    "transport_api_version": "V3",
    "grpc_services": [{"envoy_grpc": {"cluster_name": "control"}}],
}


def bootstrap(found: list[EnvoyResource]) -> dict[str, Any]:
    """Everything as static resources, each under a name and address of its own."""
    named = [(n, r.type.rpartition(".")[2], to_json(r)) for n, r in enumerate(found)]
    clusters = [CLUSTERS[kind](n, fields) for n, kind, fields in named if kind in CLUSTERS]
    listeners = [LISTENERS[kind](n, fields) for n, kind, fields in named if kind in LISTENERS]
    for listener in listeners:
        listener.pop("additional_addresses", None)
    return {
        "node": {"id": "test", "cluster": "test"},
        "dynamic_resources": {"ads_config": ADS},
        "static_resources": {"listeners": listeners, "clusters": [CONTROL, *clusters]},
    }


@settings(max_examples=6, deadline=None, derandomize=True)
@given(meshes(6))
def test_envoy_takes_what_is_generated(mesh: list[Plain]) -> None:
    compiler = compiled(accepted(mesh))
    for proxy in proxies():
        found = [r for r in resources(compiler.view(proxy)) if r.type is not TypeUrl.SECRET]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "envoy.json"
            path.write_text(json.dumps(bootstrap(found)))
            command = [str(ENVOY), "--mode", "validate", "-c", str(path), "--log-level", "error"]
            result = subprocess.run(
                command, capture_output=True, text=True, timeout=60, check=False
            )
        assert result.returncode == 0, result.stderr + result.stdout
