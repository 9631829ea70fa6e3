"""The boundary of the HTTP API: malformed requests and bugs of ours are told apart."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from varka.base.settings import Settings
from varka.controlplane.api import Api
from varka.controlplane.control_plane import ControlPlane
from varka.controlplane.options import Options
from varka.resources.check import check_object
from varka.resources.meshconfig import default_mesh_config

Ask = Callable[[str, str, bytes], Awaitable[tuple[int, Any]]]
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80}]}\n"


@pytest.fixture
def run(short_folder: Path) -> Callable[[Callable[[Ask], Awaitable[None]]], None]:
    """Runs a scenario with a control plane without manifests, asked over its socket."""

    def scenario(play: Callable[[Ask], Awaitable[None]]) -> None:
        async def whole() -> None:
            ads, socket = f"unix:{short_folder}/ads.sock", short_folder / "api.sock"
            options = Options((), (ads,), default_mesh_config(), Settings(), watch=False)
            plane = ControlPlane(options)
            await plane.read()
            running, api = asyncio.create_task(plane.run()), Api(plane)
            await api.start(socket)
            async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket))) as http:

                async def ask(method: str, path: str, body: bytes) -> tuple[int, Any]:
                    async with http.request(method, f"http://varka{path}", data=body) as answer:
                        return answer.status, await answer.json()

                await play(ask)
            running.cancel()
            await api.stop()
            await plane.stop()
            await asyncio.gather(running, return_exceptions=True)

        asyncio.run(asyncio.wait_for(whole(), 20))

    return scenario


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/objects", b""),
        ("POST", "/objects", b"\xff\xfe"),
        ("POST", "/objects", b"[]"),
        ("POST", "/objects", b'{"texts": "x"}'),
        ("POST", "/objects", b'{"texts": [["only a name"]]}'),
        ("POST", "/objects", b'{"texts": [], "timeout": "soon"}'),
        ("DELETE", "/objects", b'{"objects": [{"kind": 3}]}'),
        ("DELETE", "/objects", b'{"objects": [3]}'),
        ("PUT", "/runtime", b'{"kind": "Pod"}'),
        ("POST", "/events", b'{"no": "event"}'),
        ("POST", "/events", b"3"),
        ("GET", "/events?since=yesterday", b""),
    ],
)
def test_a_malformed_request_is_refused_with_a_reason(
    run: Callable[..., None], method: str, path: str, body: bytes
) -> None:
    async def play(ask: Ask) -> None:
        status, answer = await ask(method, path, body)
        assert (status, answer["error"][:18]) == (400, "malformed request:")
        assert (await ask("GET", "/status", b""))[0] == 200

    run(play)


def test_a_bug_of_ours_is_no_malformed_request(
    run: Callable[..., None], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("a bug")

    async def play(ask: Ask) -> None:
        with monkeypatch.context() as patched:
            patched.setattr("varka.controlplane.objects.load", broken)
            status, answer = await ask("POST", "/objects", b'{"texts": [["a", "b"]]}')
        assert status == 500
        assert answer["error"] == "a bug of varka's: KeyError: 'a bug'"
        assert caplog.records[-1].exc_info
        text = b'{"texts": [["a.yaml", "%s"]]}' % SERVICE.replace("\n", "\\n").encode()
        assert (await ask("POST", "/objects", text))[0] == 200

    run(play)


def test_an_object_of_the_runtimes_that_we_fail_on_holds_up_no_other(
    run: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(value: Any, namespace: str) -> Any:
        return 1 / 0 if value["metadata"]["name"] == "bad" else check_object(value, namespace)

    monkeypatch.setattr("varka.controlplane.objects.check_object", broken)
    pods = [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}} for name in ("bad", "good")
    ]

    async def play(ask: Ask) -> None:
        status, answer = await ask("PUT", "/runtime", json.dumps(pods).encode())
        assert (status, answer["changed"]) == (200, 1)
        assert [d["code"] for d in answer["diagnostics"]] == ["V0012"]

    run(play)


def test_what_the_runtime_reports_may_hold_anything(run: Callable[..., None]) -> None:
    async def play(ask: Ask) -> None:
        status, answer = await ask("PUT", "/runtime", b'[3, null, {"kind": "Pod"}, [], {}]')
        assert status == 200
        assert len(answer["diagnostics"]) >= 5

    run(play)
