"""The runtime's side of the control plane's API: manifests come in, pods with addresses go back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from varka.local.processes.http import HttpError, UnixHttp
from varka.local.workload.cluster import KINDS, Object

_PAUSE = 0.05
_GONE = (OSError, HttpError, EOFError)


class ControlPlane:
    """Survives restarts of the control plane: it connects again, and hands in again what it
    reported."""

    def __init__(self, api: Path) -> None:
        self._http = UnixHttp(api)
        self._wanted: list[Object] = []
        self._known: list[Object] | None = None
        self._news = asyncio.Event()
        self._own: set[tuple[str, str]] = set()
        """Pods that only the runtime makes: what is told of them is no news."""

    async def objects(self) -> AsyncIterator[list[Object]]:
        """All objects of the kinds that matter, now and after every change of one of them."""
        target = "/objects?" + urlencode([("kind", kind) for kind in KINDS])
        while True:
            try:
                async for event in self._events():
                    if self._matters(event):
                        answer = await self._http.call("GET", target)
                        yield [
                            item["object"]
                            for item in answer["items"]
                            if item.get("source") != "runtime"
                        ]
            except _GONE:
                self._forget()
            await asyncio.sleep(_PAUSE)

    async def _events(self) -> AsyncIterator[Any]:
        """A first one as soon as the control plane is there, then all that it tells."""
        lines = self._http.lines("/events?follow=1")
        await self._http.call("GET", "/status")
        yield {"event": "ready"}
        async for event in lines:
            yield event

    def _forget(self) -> None:
        """A new control plane knows nothing of the pods."""
        self._known = None
        self._news.set()

    def _matters(self, event: Any) -> bool:
        if event.get("event") == "ready":
            return True
        touched = event.get("objects") or () if event.get("event") == "changed" else ()
        return any(
            one.get("kind") in KINDS
            and (one["kind"] != "Pod" or (one.get("namespace"), one.get("name")) not in self._own)
            for one in touched
        )

    def report(self, pods: list[Object]) -> None:
        """Hand in all pods of the runtime; the newest report wins when several wait."""
        self._wanted = pods
        controlled = (pod["metadata"] for pod in pods if pod["metadata"]["ownerReferences"])
        self._own = {(str(metadata["namespace"]), str(metadata["name"])) for metadata in controlled}
        self._news.set()

    async def reporting(self) -> None:
        """Deliver reports as they come."""
        while True:
            await self._news.wait()
            self._news.clear()
            pods = self._wanted
            if pods == self._known:
                continue
            try:
                await self._http.call("PUT", "/runtime", pods)
                self._known = pods
            except _GONE:
                await asyncio.sleep(_PAUSE)
                self._news.set()
