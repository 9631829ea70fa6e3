"""The runtime's side of the control plane's API: manifests come in, pods with addresses go back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from varka.local.processes.unix_http import HttpError, UnixHttp
from varka.local.workload.cluster import KINDS, Object

log = logging.getLogger(__name__)

_PAUSE = 0.02
_GONE = (OSError, HttpError, EOFError, ValueError)
"""It ended, perhaps in the middle of an answer."""


class ControlPlaneClient:
    """Survives restarts of the control plane: it connects again, and hands in again what it
    reported."""

    def __init__(self, api: Path) -> None:
        self._http = UnixHttp(api)
        self._report: list[Object] = []
        self._delivered: list[Object] | None = None
        self._reported = asyncio.Event()
        self._own_pods: set[tuple[str, str]] = set()
        """Namespace and name of pods that only the runtime makes: their changes are no news."""

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
                self._deliver_again()
            await asyncio.sleep(_PAUSE)

    async def _events(self) -> AsyncIterator[Any]:
        """A first one as soon as the control plane is there, then all of its own."""
        lines = self._http.lines("/events?follow=1")
        await self._http.call("GET", "/status")
        yield {"event": "ready"}
        async for event in lines:
            yield event

    def _deliver_again(self) -> None:
        """A new control plane knows nothing of the pods."""
        self._delivered = None
        self._reported.set()

    def _matters(self, event: Any) -> bool:
        if event.get("event") == "ready":
            return True
        objects = event.get("objects") or () if event.get("event") == "changed" else ()
        return any(
            one.get("kind") in KINDS
            and (
                one["kind"] != "Pod"
                or (one.get("namespace"), one.get("name")) not in self._own_pods
            )
            for one in objects
        )

    def report(self, pods: list[Object]) -> None:
        """Hand in all pods of the runtime; the newest report wins when several wait."""
        self._report = pods
        controlled = (pod["metadata"] for pod in pods if pod["metadata"]["ownerReferences"])
        self._own_pods = {
            (str(metadata["namespace"]), str(metadata["name"])) for metadata in controlled
        }
        self._reported.set()

    async def deliver(self) -> None:
        """Deliver reports as they come."""
        while True:
            await self._reported.wait()
            self._reported.clear()
            pods = self._report
            if pods == self._delivered:
                continue
            try:
                await self._http.call("PUT", "/runtime", pods)
                self._delivered = pods
            except _GONE as error:
                if isinstance(error, HttpError):
                    log.error("the control plane refuses the report of pods: %s", error)
                await asyncio.sleep(_PAUSE)
                self._reported.set()
