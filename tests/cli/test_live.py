"""The verbs on a running mesh, against a control plane of its own process."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from varka.cli.exits import Failure
from varka.cli.main import cli
from varka.local.supervisor.paths import mesh_paths

SERVICE = (
    "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {clusterIP: 10.0.0.1, ports: [{port:"
    " 80}]}\n"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A runtime folder with one mesh, `default`, of one Service."""
    folder = tmp_path_factory.mktemp("run")
    paths = mesh_paths("default", {"XDG_RUNTIME_DIR": str(folder), "XDG_STATE_HOME": str(folder)})
    paths.sockets.mkdir(parents=True)
    (folder / "a.yaml").write_text(SERVICE)
    command = [
        sys.executable,
        "-m",
        "varka.controlplane.process",
        "--state-dir",
        str(paths.state),
        "--api",
        f"unix:{paths.api}",
    ]
    process = subprocess.Popen(
        [*command, "--ads", f"unix:{paths.ads}", "--no-watch", str(folder / "a.yaml")]
    )
    deadline = time.monotonic() + 20
    while not paths.api.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    yield folder
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


@pytest.fixture
def varka(home: Path, monkeypatch: pytest.MonkeyPatch) -> "Run":
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home))
    return Run()


class Run:
    def __call__(self, *arguments: str, text: str = "") -> Result:
        return CliRunner().invoke(cli, arguments, input=text, standalone_mode=False)


def test_get_shows_objects_as_kubectl_does(varka: Run, home: Path) -> None:
    lines = varka("get", "svc", "-o", "wide").stdout.splitlines()
    assert lines[0].split() == ["NAME", "TYPE", "CLUSTER-IP", "PORT(S)", "AGE", "SOURCE", "ORIGIN"]
    assert lines[1].split()[:4] == ["a", "ClusterIP", "10.0.0.1", "80/TCP"]
    assert lines[1].split()[-2:] == ["file", f"{home}/a.yaml:1:1"]
    assert varka("get", "services", "-A", "-o", "name").stdout == "service/a\n"
    assert json.loads(varka("get", "svc/a", "-o", "json").stdout)["metadata"]["name"] == "a"


def test_names_that_do_not_exist_are_failures_with_a_suggestion(varka: Run) -> None:
    for arguments, code, hint in (
        (["get", "svc", "aa"], 1, "'a'"),
        (["get", "servise"], 64, "'service'"),
    ):
        failure = varka(*arguments).exception
        assert isinstance(failure, Failure)
        assert (failure.code, hint in failure.hint) == (code, True)
    failure = varka("get", "svc", "--name", "other").exception
    assert isinstance(failure, Failure)
    assert failure.code == 69


def test_apply_and_delete(varka: Run) -> None:
    text = SERVICE.replace("name: a", "name: b")
    assert varka("apply", "-f", "-", text=text).stdout == "service/b created\n"
    told = json.loads(varka("apply", "-f", "-", "-o", "json", text=text).stdout)
    assert [one["action"] for one in told["applied"]] == ["unchanged"]
    rule = (
        "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: r}\nspec:"
        " {hots: a}\n"
    )
    refused = varka("apply", "-f", "-", text=rule)
    assert (refused.return_value, "-:4:8: error" in refused.stderr) == (1, True)
    broken = varka("apply", "-f", "-", text="a: [").exception
    assert isinstance(broken, Failure)
    assert broken.code == 65
    assert varka("delete", "svc", "b").stdout == 'service "b" deleted\n'
    assert varka("delete", "svc", "b").return_value == 1


def test_events_and_proxies_are_listed(varka: Run) -> None:
    events = [json.loads(line) for line in varka("events", "-o", "json").stdout.splitlines()]
    assert events[0]["event"] == "ready"
    assert varka("ps").stdout.split() == [
        "NAME",
        "CLUSTER",
        "ISTIOD",
        "VERSION",
        "SUBSCRIBED",
        "TYPES",
    ]
    assert json.loads(varka("ps", "-o", "json").stdout) == []
