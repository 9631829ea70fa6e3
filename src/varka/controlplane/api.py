"""The control plane's HTTP API: JSON over a unix socket that only its user can open.

GET /objects?kind=K&namespace=N&name=X
    {"number", "items": [{"object", "source", "origin"}]}. Every parameter may be absent, `kind` may
    repeat. `object` is the whole manifest with creationTimestamp, `source` is file, apply or
    runtime, `origin` is file:line:column.
POST /objects {"texts": [[name, text], ...], "namespace"?, "wait"?, "timeout"?, "atomic"?}
    What `varka apply -o json` prints; 422 with {"diagnostics"} when a text can't be parsed.
DELETE /objects {"objects": [{"kind", "group"?, "namespace", "name"}, ...]}
    {"deleted": [...], "missing": [...]}.
PUT /runtime [manifest, ...]
    {"number", "changed": n, "diagnostics"}. The full set of objects that the embedded runtime owns
    (Pods with status.podIP and conditions, ...); what is absent is removed.
GET /proxies
    {"proxies": [{"name": "pod.ns", "id", "cluster", "istiod", "version", "subscribed": n, "synced":
    bool, "types": {"CDS": "SYNCED" | "STALE" | "NOT SENT" | "ERROR", ...}}]}.
GET /names
    {"number", "names": {host: {"ips": [...], "registry", "shortname", "namespace"}}}: what the
    pods' DNS answers.
GET /events?follow=1&since=SEQ
    ndjson; each event has `event`, `seq` and `time`. Without `follow` it ends with the newest one.
POST /events {"event", ...}
    Appends an event of the runtime (`restarted`, ...).
GET /status
    {"pid", "number", "xds", "proxies": n, "diagnostics"}.

Events: `ready`; `changed` {"objects": [{"kind", "namespace", "name"}], "number"} as soon as a
change is in the state; `applied` {"files", "objects", "took_ms", "acked", "bytes_sent"} when every
proxy has it; `rejected` {"diagnostics"} of a broken file, or {"proxy", "type", "resource", "error",
"objects"} of a NACK; `connected` and `disconnected` {"proxy"}; `failed` {"error"} of a bug of
ours. Errors are {"error": message} with status 400 (malformed), 404 (no such path), 422, or 500 (a
bug of ours, whose traceback is in the log).
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from varka.base.plain import plain_diagnostic
from varka.controlplane import objects
from varka.controlplane.control_plane import ControlPlane
from varka.controlplane.nametable import name_table
from varka.controlplane.quarantine import rejected
from varka.controlplane.status import proxies

_LARGEST = 256 << 20
T = TypeVar("T")
logger = logging.getLogger(__name__)


class Malformed(Exception):
    """A request that is not what the API takes."""


class ApplyRequest(msgspec.Struct, frozen=True):
    texts: tuple[tuple[str, str], ...]
    namespace: str | None = None
    wait: bool = True
    timeout: float = 60.0
    atomic: bool = False


class DeleteRequest(msgspec.Struct, frozen=True):
    objects: tuple[objects.Name, ...]


async def body(request: web.Request, kind: type[T]) -> T:
    """Raises Malformed."""
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Malformed(str(error)) from None


class Api:
    """Serves a control plane on a unix socket."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._app = web.Application(client_max_size=_LARGEST, middlewares=[_errors])
        self._app.add_routes(
            [
                web.get("/objects", self._get),
                web.post("/objects", self._apply),
                web.delete("/objects", self._delete),
                web.put("/runtime", self._report),
                web.get("/proxies", self._proxies),
                web.get("/names", self._names),
                web.get("/events", self._events),
                web.post("/events", self._add_event),
                web.get("/status", self._status),
            ]
        )
        self._runner = web.AppRunner(self._app, handle_signals=False, shutdown_timeout=0.5)

    async def start(self, socket: Path) -> None:
        """Listen; only this user can connect."""
        socket.unlink(missing_ok=True)
        await self._runner.setup()
        before = os.umask(0o077)
        try:
            await web.UnixSite(self._runner, str(socket)).start()
        finally:
            os.umask(before)

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _get(self, request: web.Request) -> web.Response:
        query = request.query
        items = objects.select(
            self._plane, query.getall("kind", ()), query.get("namespace"), query.get("name")
        )
        return web.json_response({"number": self._plane.store.state.number, "items": items})

    async def _apply(self, request: web.Request) -> web.Response:
        asked = await body(request, ApplyRequest)
        try:
            answer = await objects.apply(
                self._plane,
                asked.texts,
                namespace=asked.namespace or "default",
                atomic=asked.atomic,
                wait=asked.timeout if asked.wait else None,
            )
        except objects.Unparsable as error:
            shown = [plain_diagnostic(d) for d in error.diagnostics]
            return web.json_response({"error": str(error), "diagnostics": shown}, status=422)
        return web.json_response(answer)

    async def _delete(self, request: web.Request) -> web.Response:
        asked = await body(request, DeleteRequest)
        return web.json_response(await objects.delete(self._plane, asked.objects))

    async def _report(self, request: web.Request) -> web.Response:
        manifests = await body(request, list[Any])
        return web.json_response(await objects.report(self._plane, manifests))

    async def _proxies(self, _: web.Request) -> web.Response:
        return web.json_response({"proxies": proxies(self._plane.hub)})

    async def _names(self, _: web.Request) -> web.Response:
        number, names = (
            self._plane.store.state.number,
            name_table(self._plane.compiler.snapshot.services()),
        )
        return web.json_response({"number": number, "names": names})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        text = request.query.get("since", "0")
        if not text.isdecimal():
            raise Malformed(f"since is a number, not {text!r}")
        since = int(text)
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        if request.query.get("follow") in ("1", "true"):
            async for event in self._plane.events.follow(since):
                await response.write(_line(event))
        else:
            await response.write(
                b"".join(_line(event) for event in self._plane.events.since(since))
            )
        return response

    async def _add_event(self, request: web.Request) -> web.Response:
        event = await body(request, dict[str, Any])
        if not isinstance(event.get("event"), str):
            raise Malformed("an event needs `event`, its name")
        rest = {k: v for k, v in event.items() if k not in ("event", "seq", "time")}
        self._plane.events.add(event["event"], **rest)
        return web.json_response({})

    async def _status(self, _: web.Request) -> web.Response:
        plane = self._plane
        found = (*plane.diagnostics, *plane.findings(), *rejected(plane.hub, plane.store.state))
        return web.json_response(
            {
                "pid": os.getpid(),
                "number": plane.store.state.number,
                "xds": list(plane.addresses),
                "proxies": len(plane.hub.connections),
                "diagnostics": [plain_diagnostic(d) for d in found],
            }
        )


def _line(event: Any) -> bytes:
    return json.dumps(event).encode() + b"\n"


@web.middleware
async def _errors(request: web.Request, handler: Any) -> web.StreamResponse:
    """The boundary of a request: what is wrong with it, and bugs of ours, as JSON."""
    try:
        response: web.StreamResponse = await handler(request)
    except web.HTTPException as error:
        return web.json_response({"error": error.reason}, status=error.status)
    except Malformed as error:
        return web.json_response({"error": f"malformed request: {error}"}, status=400)
    except ConnectionError:
        raise
    except Exception as error:
        logger.exception("%s %s failed", request.method, request.path)
        message = f"a bug of varka's: {type(error).__name__}: {error}"
        return web.json_response({"error": message}, status=500)
    return response
