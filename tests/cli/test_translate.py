"""`varka translate` as its users call it."""

import json
from pathlib import Path

from click.testing import CliRunner, Result

from varka.cli.main import cli

UNKNOWN = """apiVersion: v1
kind: Service
metadata: {name: a}
spec: {clusterIP: 10.0.0.1, ports: [{name: tcp, port: 9000}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: r}
spec:
  hosts: [a.default.svc.cluster.local]
  tcp: [{name: anything, route: [{destination: {host: b.example.com}}]}]
"""
PROXY = '{"type": "sidecar", "namespace": "default"}'


def run(folder: Path, text: str) -> Result:
    manifest, proxy = folder / "a.yaml", folder / "proxy.json"
    manifest.write_text(text)
    proxy.write_text(PROXY)
    return CliRunner().invoke(
        cli, ["translate", str(manifest), "--proxy-file", str(proxy)], standalone_mode=False
    )


def test_unknown_fields_are_left_out_as_an_api_server_does(tmp_path: Path) -> None:
    result = run(tmp_path, UNKNOWN)
    assert result.return_value == 0
    assert "warning" in result.stderr
    assert "spec.tcp[0].name" in result.stderr
    assert "b.example.com" in json.dumps(json.loads(result.stdout)["listeners"])


def test_objects_with_other_mistakes_are_left_out_whole(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        UNKNOWN.replace("name: anything, ", "").replace("host: b.example.com", "host: [b]"),
    )
    assert result.return_value == 1
    assert "b.example.com" not in result.stdout
