"""What users are told of EnvoyFilters that proxies can't use, through the command line, with the
line of the patch."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from testbed.live import eventually

from tests.e2e.rowsmesh import CLIENT, RowsMesh
from varka.local.client.request import Request

FILTER = """\
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: told, namespace: default}
spec:
  workloadSelector: {labels: {app: client}}
  configPatches:
"""
GOOD = """\
  - applyTo: CLUSTER
    match: {context: SIDECAR_OUTBOUND, cluster: {service: echo.default.svc.cluster.local}}
    patch: {operation: MERGE, value: {connect_timeout: 3s}}
"""
INVALID = """\
  - applyTo: CLUSTER
    match: {context: SIDECAR_OUTBOUND, cluster: {service: echo.default.svc.cluster.local}}
    patch:
      operation: MERGE
      value: {connect_timeout: -1s}
"""
BROKEN_LUA = """\
  - applyTo: HTTP_FILTER
    match:
      context: SIDECAR_OUTBOUND
      listener:
        name: 0.0.0.0_80
        filterChain: {filter: {name: envoy.filters.network.http_connection_manager}}
    patch:
      operation: INSERT_FIRST
      value:
        name: broken
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
          default_source_code: {inline_string: "this is no Lua"}
"""
MISSPELT = """\
  - applyTo: HTTP_FILTER
    match:
      listener:
        filterChain:
          filter:
            name: envoy.filters.network.http_connection_manager
            subFilter: {name: envoy.filters.http.ruoter}
    patch: {operation: REMOVE}
  - applyTo: CLUSTER
    match:
      cluster: {name: "outbound|80||ecko-v2.default.svc.cluster.local"}
    patch: {operation: MERGE, value: {connect_timeout: 3s}}
"""


@pytest.fixture
def apply(rows_mesh: RowsMesh, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Runs `varka apply` on an EnvoyFilter with some patches; gives the process."""
    file = tmp_path / "told.yaml"

    def run(patches: str, *arguments: str) -> Any:
        file.write_text(FILTER + patches)
        return rows_mesh.live.varka("apply", "-f", str(file), *arguments, check=False)

    yield run
    rows_mesh.live.varka("delete", "-f", str(file))


def events(mesh: RowsMesh) -> list[dict[str, Any]]:
    return [
        json.loads(line) for line in mesh.live.varka("events", "-o", "json").stdout.splitlines()
    ]


def newest(mesh: RowsMesh) -> int:
    return int(events(mesh)[-1]["seq"])


def rejected(mesh: RowsMesh, since: int, text: str) -> list[str]:
    """Lines of new `rejected` events with a text in them."""
    count = sum(event["seq"] <= since and event["event"] != "changed" for event in events(mesh))
    lines = mesh.live.varka("events").stdout.splitlines()[count:]
    return [line for line in lines if " rejected " in line and text in line]


@pytest.mark.e2e
def test_a_good_patch_is_told_of_as_any_object(apply: Callable[..., Any]) -> None:
    done = apply(GOOD, "-o", "json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["quarantined"], told["proxies"]["updated"]) == (
        0,
        [],
        told["proxies"]["acked"],
    )


@pytest.mark.e2e
def test_a_patch_that_is_set_aside_has_its_line(
    rows_mesh: RowsMesh, apply: Callable[..., Any]
) -> None:
    since = newest(rows_mesh)
    done = apply(GOOD + INVALID, "-o", "json")
    (one,) = json.loads(done.stdout)["quarantined"]
    assert done.returncode == 1
    assert (one["kind"], one["namespace"], one["name"]) == ("EnvoyFilter", "default", "told")
    assert (one["proxies"], "connect_timeout" in one["reason"]) == (["client.default"], True)
    assert one["origin"].endswith("told.yaml:14:7")
    again = apply(GOOD + INVALID)
    assert again.returncode == 1
    assert (
        "told.yaml:14:7: error: EnvoyFilter default/told is not in force at client.default"
        in again.stderr
    )
    assert len(rejected(rows_mesh, since, "told.yaml:14:7: error V7001")) == 1
    assert "told.yaml:14:7" in " ".join(
        str(d.get("file")) + f":{d.get('line')}:{d.get('column')}" for d in status(rows_mesh)
    )


@pytest.mark.e2e
def test_what_only_envoy_refuses_has_its_line(
    rows_mesh: RowsMesh, apply: Callable[..., Any]
) -> None:
    since = newest(rows_mesh)
    done = apply(GOOD + BROKEN_LUA, "-o", "json")
    told = json.loads(done.stdout)
    (one,) = told["quarantined"]
    assert done.returncode == 1
    assert (one["origin"].rpartition("/")[2], one["proxies"]) == (
        "told.yaml:18:7",
        ["client.default"],
    )
    assert "this is no Lua" in one["reason"] or "script" in one["reason"]
    assert told["proxies"]["rejected"][0]["object"]["name"] == "told"
    assert any("told.yaml:18:7" in line for line in rejected(rows_mesh, since, "0.0.0.0_80"))
    eventually(lambda: aside(rows_mesh) == [("told.yaml", 18)])


@pytest.mark.e2e
def test_what_only_envoy_refuses_is_set_aside_and_the_rest_arrives(
    rows_mesh: RowsMesh, apply: Callable[..., Any]
) -> None:
    marked = BROKEN_LUA.replace(
        "this is no Lua", "function envoy_on_response(h) h:headers():add('x-told', 'yes') end"
    )
    assert apply(marked).returncode == 0
    assert headers(rows_mesh, "http://echo/").get("x-told") == "yes"
    assert apply(marked + BROKEN_LUA).returncode == 1
    eventually(lambda: aside(rows_mesh) == [("told.yaml", 28)])
    eventually(lambda: all(one["types"]["LDS"] == "SYNCED" for one in rows_mesh.live.proxies()))
    # Changes of the same listener go on arriving, and what is broken stays aside.
    assert apply(marked.replace("yes", "again") + BROKEN_LUA).returncode == 1
    assert headers(rows_mesh, "http://echo/").get("x-told") == "again"
    assert aside(rows_mesh) == [("told.yaml", 28)]


@pytest.mark.e2e
def test_a_patch_that_matches_nothing_names_what_it_may_have_meant(
    rows_mesh: RowsMesh, apply: Callable[..., Any]
) -> None:
    since = newest(rows_mesh)
    done = apply(MISSPELT)
    assert done.returncode == 0
    assert "told.yaml:13:25: warning V7002" in done.stderr
    assert "did you mean 'envoy.filters.http.router'?" in done.stderr
    assert "told.yaml:17:17: warning V7002" in done.stderr
    assert "did you mean 'outbound|80||echo-v2.default.svc.cluster.local'?" in done.stderr
    told = json.loads(apply(MISSPELT, "-o", "json").stdout)
    assert [d["line"] for d in told["diagnostics"] if d["code"] == "V7002"] == [13, 17]
    assert rejected(rows_mesh, since, "told.yaml:13:25: warning V7002")


@pytest.mark.e2e
def test_a_selector_that_selects_nobody_is_told(rows_mesh: RowsMesh, tmp_path: Path) -> None:
    file = tmp_path / "nobody.yaml"
    file.write_text((FILTER + GOOD).replace("app: client", "app: cleint"))
    told = rows_mesh.live.varka("apply", "-f", str(file)).stderr
    rows_mesh.live.varka("delete", "-f", str(file))
    assert "nobody.yaml:5:3: warning V7002" in told
    assert "did you mean app=client?" in told


def headers(mesh: RowsMesh, url: str) -> dict[str, str]:
    return dict(mesh.send(CLIENT, Request(url=url))["responses"][0]["headers"])


def aside(mesh: RowsMesh) -> list[tuple[str, int]]:
    """File and line of the patches that are set aside."""
    return [(Path(d["file"]).name, d["line"]) for d in status(mesh) if d["code"] == "V7001"]


def status(mesh: RowsMesh) -> list[dict[str, Any]]:
    return list(mesh.live.api("GET", "/status")["diagnostics"])


@pytest.mark.e2e
def test_a_mended_filter_ends_the_error(rows_mesh: RowsMesh, apply: Callable[..., Any]) -> None:
    assert apply(BROKEN_LUA).returncode == 1
    eventually(lambda: bool(aside(rows_mesh)))
    assert apply(GOOD).returncode == 0
    eventually(lambda: all(one["types"]["LDS"] == "SYNCED" for one in rows_mesh.live.proxies()))
    assert not aside(rows_mesh)
