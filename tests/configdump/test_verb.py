"""`varka proxy-config` over a file."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from varka.cli.exits import Failure
from varka.cli.proxy_config import proxy_config

ROUTES = {
    "@type": "type.googleapis.com/envoy.admin.v3.RoutesConfigDump",
    "dynamic_route_configs": [
        {
            "route_config": {
                "@type": "x",
                "name": "80",
                "virtual_hosts": [{"name": "a", "domains": ["a"]}],
            }
        }
    ],
}


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "dump.json"
    path.write_text(json.dumps({"configs": [ROUTES]}))
    return str(path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(proxy_config, arguments, standalone_mode=False)


@pytest.mark.parametrize("alias", ["routes", "route", "r"])
def test_a_table(file: str, alias: str) -> None:
    assert run(alias, "--file", file).stdout.splitlines() == [
        "NAME     VHOST NAME     DOMAINS     MATCH     VIRTUAL SERVICE",
        "80       a              a           /*        404",
    ]


def test_json_and_yaml_are_envoys_own(file: str) -> None:
    expected = [{"name": "80", "virtual_hosts": [{"name": "a", "domains": ["a"]}]}]
    assert json.loads(run("routes", "-f", file, "-o", "json").stdout) == expected
    assert yaml.safe_load(run("routes", "-f", file, "-o", "yaml").stdout) == expected
    assert json.loads(run("all", "-f", file, "-o", "json").stdout) == {"configs": [ROUTES]}


def test_what_a_dump_lacks_is_said(file: str) -> None:
    error = run("clusters", "-f", file).exception
    assert isinstance(error, Failure)
    assert error.code == 1
    assert "ClustersConfigDump" in error.message


@pytest.mark.parametrize("content", ["", "[]", "{}", "not json"])
def test_no_dump_is_65(tmp_path: Path, content: str) -> None:
    (tmp_path / "x").write_text(content)
    error = run("routes", "-f", str(tmp_path / "x")).exception
    assert isinstance(error, Failure)
    assert error.code == 65


def test_wrong_usage() -> None:
    assert "did you mean 'routes'" in str(run("ruotes", "x").exception)
    assert "either a POD or --file" in str(run("routes").exception)


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [(["-n", "a", "routes", "x"], "a"), (["routes", "x", "-n", "b"], "b"), (["r", "x"], "default")],
)
def test_the_namespace_stands_before_or_behind_the_type(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], asked: str
) -> None:
    def find_pod(mesh: str | None, pod: str, namespace: str) -> None:
        raise Failure(f"{mesh} {pod} {namespace}")

    monkeypatch.setattr("varka.cli.live.find_pod", find_pod)
    assert str(run(*arguments).exception) == f"None x {asked}"
