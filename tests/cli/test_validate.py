"""`varka validate` as its users call it."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from varka.cli.main import cli

BAD = """apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: r}
spec:
  hosts: [a]
  http:
  - timeout: 1x
    route:
    - destination: {host: a}
"""


def run(*args: str, text: str = "") -> Result:
    return CliRunner().invoke(cli, ["validate", *args], input=text, standalone_mode=False)


@pytest.fixture
def bad(tmp_path: Path) -> str:
    path = tmp_path / "bad.yaml"
    path.write_text(BAD)
    return str(path)


def test_json(bad: str) -> None:
    result = run("-o", "json", bad)
    (found,) = json.loads(result.stdout)["diagnostics"]
    assert result.return_value == 1
    assert found == {
        "code": "V0108",
        "severity": "error",
        "message": "must be a valid duration greater than 1ms",
        "object": {"kind": "VirtualService", "namespace": "default", "name": "r"},
        "path": "spec.http[0].timeout",
        "file": bad,
        "line": 7,
        "column": 5,
    }


def test_text(bad: str) -> None:
    result = run("-f", bad)
    assert (
        result.stdout
        == f"{bad}:7:5: error V0108 VirtualService default/r: spec.http[0].timeout: must be a valid"
        " duration greater than 1ms\n"
    )
    assert result.stderr == "0 objects: 1 error\n"


def test_standard_input_and_namespace() -> None:
    result = run("-n", "x", "-", text=BAD.replace("1x", "1s"))
    assert (result.return_value, result.stdout) == (0, "")
    assert result.stderr == "1 object: nothing to complain about (1 without namespace: using x)\n"


def test_files_for_the_command_line_need_no_metadata() -> None:
    result = run(
        "-",
        text="apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec: {profile: demo}\n",
    )
    assert (result.return_value, result.stdout) == (0, "")


def test_mesh_config(tmp_path: Path) -> None:
    path = tmp_path / "mesh.yaml"
    path.write_text("trustDomain: a_b\n")
    result = run("--as", "meshconfig", "-o", "json", str(path))
    assert [d["path"] for d in json.loads(result.stdout)["diagnostics"]] == ["trustDomain"]
    path.write_text("networks: {a: {gateways: [{address: 1.2.3.4, port: 1}]}}\n")
    assert run("--as", "meshnetworks", str(path)).return_value == 0


@pytest.mark.parametrize(
    ("value", "severity"),
    [("{name: false}", "error"), ("{nam: x}", "warning"), ("{name: x}", None)],
)
def test_values_of_envoy_filters_are_envoys_messages(value: str, severity: Any) -> None:
    text = f"""{{apiVersion: networking.istio.io/v1alpha3, kind: EnvoyFilter, metadata: {{name: e}},
 spec: {{configPatches: [{{applyTo: CLUSTER, patch: {{operation: ADD, value: {value}}}}}]}}}}"""
    found = json.loads(run("-o", "json", "-", text=text).stdout)["diagnostics"]
    assert [d["severity"] for d in found if d["code"] == "V0705"] == (
        [severity] if severity else []
    )


def test_nothing_to_read_is_wrong_usage() -> None:
    assert run().exception is not None
