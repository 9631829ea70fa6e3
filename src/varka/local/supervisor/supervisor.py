"""The process that a mesh hangs on: outside of the sandbox, it starts the inside and the control
plane and carries connections across. When it dies the kernel ends all the others."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from msgspec import Struct, field
from msgspec.structs import replace

from varka.local.dns.upstreams import open_upstreams
from varka.local.network import relay
from varka.local.processes import pids
from varka.local.processes.channel import Channel, Message, pair
from varka.local.processes.process import Program, Reaper, spawn
from varka.local.processes.unix_http import HttpError, UnixHttp
from varka.local.supervisor.paths import MeshPaths
from varka.local.system import kernel, sandbox
from varka.local.system.sandbox import Sandbox

SOCKET = "supervisor.sock"
_SHORT_LIFE, _PAUSE = 1.0, 1.0
_PATIENCE = 5.0
_READY_EVERY = 0.03
_POOL = 8


class MeshConfig(Struct, frozen=True, eq=False):
    """`control_plane` is its command line; `publish` are (port of this machine, gateway
    `name.namespace`, its port). `started` is a descriptor that gets one line of JSON: `{}` when the
    mesh stands, else `{"error", "hint", "code"}`."""

    paths: MeshPaths
    control_plane: Sequence[str]
    started: int
    images: Mapping[str, str] = field(default_factory=dict)
    publish: Sequence[tuple[int, str, int]] = ()


def run(config: MeshConfig) -> NoReturn:
    """Become the supervisor of a mesh; call it in a fresh process that has one thread (see
    `launch`)."""
    code = 1
    try:
        kernel.set_process_name("varka-mesh")
        config = _with_journal(config)
        control = _start_control_plane(config)
        ours, theirs = pair()
        inside = _start_inside(config, ours, theirs)
        code = asyncio.run(_run(config, control, inside, ours))
    except kernel.NotPermitted as error:
        _say(config.started, {"error": str(error), "hint": error.hint, "code": 77})
    except BaseException as error:
        traceback.print_exc()
        _say(
            config.started,
            {
                "error": str(error),
                "hint": f"see {config.paths.state / 'supervisor.log'}",
                "code": 1,
            },
        )
    finally:
        sys.stderr.flush()
        os._exit(code)


def _say(started: int, line: Mapping[str, Any]) -> None:
    with contextlib.suppress(OSError):
        os.write(started, json.dumps(line).encode() + b"\n")
        os.close(started)


def _with_journal(config: MeshConfig) -> MeshConfig:
    """Applied objects outlive the control plane in memory of the supervisor's: private keys do not
    touch the disk."""
    journal = f"/proc/{os.getpid()}/fd/{os.memfd_create('varka-journal')}"
    return replace(config, control_plane=[*config.control_plane, "--journal", journal])


def _start_control_plane(config: MeshConfig) -> int:
    log = config.paths.state / "control-plane.log"
    return spawn(Program(log, config.control_plane, os.environ, os.getcwd()), None, bound=True)


def _start_inside(config: MeshConfig, ours: socket.socket, theirs: socket.socket) -> Sandbox:
    upstreams = open_upstreams()

    def main() -> int:
        from varka.local.node import node

        ours.close()
        paths = config.paths
        inside = node.NodeConfig(
            paths.sockets,
            paths.state / "logs",
            paths.ads,
            paths.api,
            config.images,
            config.publish,
            upstreams,
            dict(os.environ),
        )
        return node.main(inside, theirs)

    started = sandbox.start(main)
    theirs.close()
    for upstream in upstreams:
        upstream.close()
    return started


async def _run(config: MeshConfig, control: int, inside: Sandbox, end: socket.socket) -> int:
    return await Supervisor(config, control, inside, end).run()


class Supervisor:
    def __init__(
        self, config: MeshConfig, control: int, inside: Sandbox, end: socket.socket
    ) -> None:
        self._config, self._inside, self._control = config, inside, control
        self._loop = asyncio.get_running_loop()
        self._reaper = Reaper(self._loop)
        self._control_ended = self._reaper.watch(control)
        self._inside_ended = self._reaper.watch(inside.launcher)
        self._stop = asyncio.Event()
        self._channel = Channel(end, self._told, self._inside_is_gone)
        self._broken = False
        self._api = UnixHttp(config.paths.api)
        self._sockets: list[socket.socket] = []
        self._published: dict[tuple[int, str, int], tuple[relay.Published, str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> int:
        """Until SIGTERM, or until the inside dies."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._stop.set)
        self._loop.add_signal_handler(signal.SIGHUP, lambda: None)
        path = self._config.paths.sockets / SOCKET
        path.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(self._serve, str(path))
        path.chmod(0o600)
        self._background(self._keep_control_plane())
        _say(self._config.started, {})
        await self._stop.wait()
        server.close()
        await self._shut_down()
        return 1 if self._broken else 0

    def _inside_is_gone(self) -> None:
        """Nobody asked for that: what was logged stays for who wants to know why."""
        self._broken = not self._stop.is_set()
        self._stop.set()

    def _background(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep_control_plane(self) -> None:
        """Start it again when it ends; proxies keep serving meanwhile."""
        while True:
            born = time.monotonic()
            await self._control_ended
            if self._stop.is_set():
                return
            if time.monotonic() - born < _SHORT_LIFE:
                await asyncio.sleep(_PAUSE)
            self._control = _start_control_plane(self._config)
            self._control_ended = self._reaper.watch(self._control)
            self._background(
                self._tell({"event": "restarted", "role": "control-plane", "pid": self._control})
            )

    async def _tell(self, event: Message) -> None:
        """Append to the mesh's events, as soon as there is a control plane to keep them."""
        for _ in range(100):
            try:
                await self._api.call("POST", "/events", event)
            except (OSError, EOFError, HttpError):
                await asyncio.sleep(0.1)
            else:
                return

    async def _shut_down(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._inside.init, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._inside_ended), _PATIENCE)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._control, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._control_ended), 1.0)
        for pid in (self._inside.init, self._inside.launcher, self._control):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self._config.paths.sockets, ignore_errors=True)
        if not self._broken:
            shutil.rmtree(self._config.paths.state, ignore_errors=True)

    # what the inside says

    def _told(self, message: Message, fds: list[int]) -> None:
        if "relay" in message:
            address, port = message["relay"]
            self._background(relay.outward(socket.socket(fileno=fds[0]), address, port))
        elif "publish" in message:
            self._background(self._publish(message["publish"]))
        elif "event" in message:
            event = dict(message["event"])
            if message.get("pid"):
                event["pid"] = pids.children(self._inside.init).get(message["pid"], 0)
            self._background(self._tell(event))

    async def _publish(self, wanted: Sequence[Message]) -> None:
        keys = {
            (one["port"], one["gateway"], one["gateway_port"]): (
                one["address"],
                one["gateway_port"],
            )
            for one in wanted
        }
        for key in [key for key in self._published if key not in keys]:
            self._published.pop(key)[0].close()
        for key, target in keys.items():
            if key in self._published:
                self._published[key][0].target = target
                continue
            published = relay.Published(target, self._socket_inside)
            host, port = await published.listen("127.0.0.1", key[0])
            self._published[key] = (published, f"{host}:{port}")

    async def _socket_inside(self) -> socket.socket:
        """A fresh socket of the mesh's own network."""
        if len(self._sockets) < _POOL:
            await self._fetch_sockets()
        return self._sockets.pop()

    async def _fetch_sockets(self) -> None:
        _, fds = await self._channel.ask({"want": "sockets"})
        self._sockets.extend(socket.socket(fileno=fd) for fd in fds)

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
            ("control-plane", self._control),
            ("node", self._inside.init),
        ]
        for pod in answer["pods"]:
            for one in pod["processes"]:
                one["pid"] = outside.get(one["pid"], 0)
        return {
            "name": self._config.paths.name,
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
            "published": [
                {"address": address, "gateway": key[1], "port": key[2], "wanted": key[0]}
                for key, (_, address) in sorted(self._published.items())
            ],
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
        except (OSError, EOFError, HttpError, KeyError):
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
        except (OSError, EOFError, HttpError):
            return False
        return expected <= {proxy["name"] for proxy in proxies if proxy.get("synced")}
