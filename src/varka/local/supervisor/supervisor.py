"""The process that a mesh hangs on: outside of the sandbox, it keeps the control plane running and
carries connections across. When it dies the kernel ends all the others."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import signal
import socket
import time
from typing import Any

from varka.local.network import relay
from varka.local.processes import pids
from varka.local.processes.background import Background
from varka.local.processes.channel import Channel, Message
from varka.local.processes.process import Reaper
from varka.local.processes.unix_http import HttpError, UnixHttp
from varka.local.supervisor.forks import report, start_control_plane
from varka.local.supervisor.options import MeshOptions
from varka.local.supervisor.publisher import Publisher
from varka.local.system.sandbox import Sandbox

log = logging.getLogger(__name__)

SOCKET = "supervisor.sock"
_SHORT_LIFE, _PAUSE = 1.0, 1.0
_PATIENCE = 5.0
_READY_EVERY = 0.02
_UNANSWERED = (OSError, EOFError, HttpError, ValueError)
"""The control plane is not there, or went in the middle of an answer."""


class Supervisor:
    """`control_plane` is its pid, `end` our end of the channel to the inside."""

    def __init__(
        self, options: MeshOptions, control_plane: int, inside: Sandbox, end: socket.socket
    ) -> None:
        self._options, self._inside, self._control_plane = options, inside, control_plane
        self._loop = asyncio.get_running_loop()
        self._reaper = Reaper(self._loop)
        self._control_plane_ended = self._reaper.watch(control_plane)
        self._inside_ended = self._reaper.watch(inside.launcher)
        self._stop = asyncio.Event()
        self._stands: asyncio.Future[Message] = self._loop.create_future()
        """What whoever started the mesh waits for."""
        self._background = Background(self._report_bug)
        self._channel = Channel(end, self._receive, self._inside_is_gone)
        self._publisher = Publisher(self._channel, self._background)
        self._broken = False
        self._api = UnixHttp(options.paths.api)

    async def run(self) -> int:
        """Until SIGTERM, or until the inside dies."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._stop.set)
        self._loop.add_signal_handler(signal.SIGHUP, lambda: None)
        path = self._options.paths.sockets / SOCKET
        path.unlink(missing_ok=True)
        async with self._background:
            server = await asyncio.start_unix_server(self._serve, str(path))
            path.chmod(0o600)
            self._background.keep("keeping the control plane", self._keep_control_plane)
            report(self._options.started, await self._stands)
            await self._stop.wait()
            server.close()
            await self._shut_down()
        return 1 if self._broken else 0

    def _report_bug(self, what: str, error: Exception) -> None:
        """A task failed in a way that nobody foresaw; its traceback is in our log."""
        message = f"{type(error).__name__}: {error}"
        if not self._stop.is_set():
            self._add_event({"event": "failed", "what": what, "message": message})

    def _inside_is_gone(self) -> None:
        """Nobody asked for that: what was logged stays for who wants to know why."""
        self._broken = not self._stop.is_set()
        self._stop.set()
        if not self._stands.done():
            hint = f"see {self._options.paths.state / 'supervisor.log'}"
            why = {"error": "the mesh died while it was set up", "hint": hint, "code": 1}
            self._stands.set_result(why)

    async def _keep_control_plane(self) -> None:
        """Start it again when it ends; proxies keep serving meanwhile."""
        while True:
            born = time.monotonic()
            code = await asyncio.shield(self._control_plane_ended)
            if self._stop.is_set():
                return
            log.error("the control plane ended with exit code %s", code)
            if time.monotonic() - born < _SHORT_LIFE:
                await asyncio.sleep(_PAUSE)
            self._control_plane = start_control_plane(self._options)
            self._control_plane_ended = self._reaper.watch(self._control_plane)
            pid = self._control_plane
            self._add_event({"event": "restarted", "role": "control-plane", "pid": pid})

    def _add_event(self, event: Message) -> None:
        self._background.start("adding an event", self._send_event(event))

    async def _send_event(self, event: Message) -> None:
        """Append to the mesh's events, as soon as there is a control plane to keep them."""
        for _ in range(100):
            try:
                await self._api.call("POST", "/events", event)
            except _UNANSWERED:
                await asyncio.sleep(0.1)
            else:
                return
        log.error("no control plane took the event %s", event)

    async def _shut_down(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._inside.init, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._inside_ended), _PATIENCE)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._control_plane, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._control_plane_ended), 1.0)
        for pid in (self._inside.init, self._inside.launcher, self._control_plane):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self._options.paths.sockets, ignore_errors=True)
        if not self._broken:
            shutil.rmtree(self._options.paths.state, ignore_errors=True)

    # what the inside says

    def _receive(self, message: Message, fds: list[int]) -> None:
        if "stands" in message:
            self._stands.set_result(message["stands"])
        elif "relay" in message:
            address, port = message["relay"]
            accepted = socket.socket(fileno=fds[0])
            what = f"relaying to {address}:{port}"
            self._background.start(what, relay.outward(accepted, address, port))
        elif "publish" in message:
            what = "publishing ports"
            self._background.start(what, self._publisher.publish(message["publish"]))
        elif "event" in message:
            event = dict(message["event"])
            if message.get("pid"):
                event["pid"] = pids.children(self._inside.init).get(message["pid"], 0)
            self._add_event(event)

    # what the command line asks

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One question and one answer, each a line of JSON."""
        try:
            question = json.loads(await reader.readline() or b"{}")
            match question.get("op"):
                case "status":
                    answer = await self._status()
                case "ready":
                    answer = await self._wait_until_ready(float(question.get("timeout", 60)))
                case other:
                    answer = {"error": f"no such operation: {other}"}
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        except (ConnectionError, ValueError):
            pass
        finally:
            writer.close()

    async def _status(self) -> Message:
        answer, _ = await self._channel.ask({"want": "status"})
        outside = pids.children(self._inside.init)
        own = [
            ("supervisor", os.getpid()),
            ("control-plane", self._control_plane),
            ("node", self._inside.init),
        ]
        for pod in answer["pods"]:
            for one in pod["processes"]:
                one["pid"] = outside.get(one["pid"], 0)
        return {
            "name": self._options.paths.name,
            "pid": os.getpid(),
            "init": self._inside.init,
            "processes": [{"role": role, "pid": pid} for role, pid in own]
            + [
                {"role": one["role"], "pid": one["pid"], "pod": f"{pod['name']}.{pod['namespace']}"}
                for pod in answer["pods"]
                for one in pod["processes"]
            ],
            "pods": answer["pods"],
            "settled": answer["settled"],
            "failed": answer["failed"],
            "problems": answer["problems"],
            "published": self._publisher.describe(),
        }

    async def _wait_until_ready(self, timeout: float) -> Message:
        """Ready: every pod that the manifests want answers, and every proxy acknowledged all it was
        sent."""
        try:
            async with asyncio.timeout(timeout):
                while not await self._is_ready():
                    await asyncio.sleep(_READY_EVERY)
        except TimeoutError:
            return {
                **await self._status(),
                "ready": False,
                "diagnostics": await self._diagnostics(),
            }
        return {**await self._status(), "ready": True, "diagnostics": await self._diagnostics()}

    async def _diagnostics(self) -> list[Any]:
        try:
            return list((await self._api.call("GET", "/status"))["diagnostics"])
        except (*_UNANSWERED, KeyError):
            return []

    async def _is_ready(self) -> bool:
        answer, _ = await self._channel.ask({"want": "status"})
        if not answer["settled"] or not all(pod["ready"] for pod in answer["pods"]):
            return False
        expected = {
            f"{pod['name']}.{pod['namespace']}" for pod in answer["pods"] if pod["proxy"] != "none"
        }
        try:
            proxies = (await self._api.call("GET", "/proxies"))["proxies"]
        except _UNANSWERED:
            return False
        return expected <= {proxy["name"] for proxy in proxies if proxy.get("synced")}
