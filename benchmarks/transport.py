"""The transport alone: one message to each of many streams, each answered, by a client of its own
process that does no more than a client must."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import resource
import selectors
import socket
import statistics
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe

import uvloop

from varka.xds.transport import frames
from varka.xds.transport.frames import HEADER, MAX_FRAME
from varka.xds.transport.headers import literal
from varka.xds.transport.message import PREFIX, Message
from varka.xds.transport.server import Server
from varka.xds.transport.stream import Stream

STREAMS = 500
PUSHES = {800: 40, 60_000: 15, 3_400_000: 3}
"""Size of a message in bytes: how often it is sent."""
PATH = "/bench.Push/Stream"
ANSWER = b"ack of about as many bytes as an acknowledgement of xDS has: 70"
_WINDOW = 1 << 30


def measure() -> dict[str, object]:
    """CPU of the server for one message and its answer, in µs, by size of the message; memory of a
    stream; the time of a loop that tells how fast the machine is today."""
    started = time.perf_counter()
    sum(range(5_000_000))
    loop_s = time.perf_counter() - started
    return {"loop_s": round(loop_s, 3), **uvloop.run(_measure())}


async def _measure() -> dict[str, object]:
    pushing = _Pushing()
    server = Server({PATH: pushing.open})
    port = await server.listen_tcp("127.0.0.1", 0)
    before = _resident()
    ours, theirs = multiprocessing.Pipe()
    client = multiprocessing.get_context("spawn").Process(target=_client, args=(theirs, port))
    client.start()
    while len(pushing.streams) < STREAMS:
        await asyncio.sleep(0.05)
    figures: dict[str, object] = {"memory_per_stream_kb": (_resident() - before) // STREAMS}
    for size, times in PUSHES.items():
        costs = []
        for _ in range(times):
            ours.send(size)
            await asyncio.to_thread(ours.recv)
            costs.append(await pushing.push(size))
        figures[f"us_{size}"] = [round(min(costs), 1), round(statistics.median(costs), 1)]
    ours.send(None)
    client.join(10)
    await server.stop(0.1)
    return figures


@dataclass
class _Pushing:
    streams: set[Stream] = field(default_factory=set)
    missing: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def open(self, stream: Stream) -> _Answers:
        self.streams.add(stream)
        return _Answers(self)

    async def push(self, size: int) -> float:
        """µs of CPU for each stream."""
        self.missing = len(self.streams)
        self.done.clear()
        used = _cpu()
        message = Message(b"x" * size)
        for stream in self.streams:
            stream.send(message)
        await self.done.wait()
        return (_cpu() - used) * 1e6 / len(self.streams)


@dataclass(slots=True)
class _Answers:
    pushing: _Pushing

    def received(self, body: bytes) -> None:
        self.pushing.missing -= 1
        if not self.pushing.missing:
            self.pushing.done.set()

    def half_closed(self) -> None:
        pass

    def drained(self) -> None:
        pass

    def closed(self) -> None:
        pass


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _resident() -> int:
    """kB."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def _client(pipe: Pipe, port: int) -> None:
    """Answers each message of each connection; ends when told so."""
    headers = b"".join(
        literal(name, value)
        for name, value in (
            (b":method", b"POST"),
            (b":scheme", b"http"),
            (b":path", PATH.encode()),
            (b"content-type", b"application/grpc"),
        )
    )
    window = frames.window_update(0, _WINDOW) + frames.window_update(1, _WINDOW)
    opening = (
        frames.PREFACE
        + frames.settings({})
        + frames.frame(frames.HEADERS, frames.END_HEADERS, 1, headers)
        + window
    )
    message = b"\0" + len(ANSWER).to_bytes(4, "big") + ANSWER
    answer = frames.frame(frames.DATA, 0, 1, message)
    ready = selectors.DefaultSelector()
    for _ in range(STREAMS):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.sendall(opening)
        connection.setblocking(False)
        ready.register(connection, selectors.EVENT_READ)
    while (size := pipe.recv()) is not None:
        for key in ready.get_map().values():
            _received(key.fileobj)
        pipe.send("ready")
        _answer_all(ready, size + PREFIX + HEADER * -(-(size + PREFIX) // MAX_FRAME), answer)


def _answer_all(ready: selectors.BaseSelector, wanted: int, answer: bytes) -> None:
    """Answer on each connection when `wanted` bytes have come."""
    missing = {key.fd: wanted for key in ready.get_map().values()}
    while missing:
        for key, _ in ready.select():
            missing[key.fd] -= _received(key.fileobj)
            if not missing[key.fd]:
                del missing[key.fd]
                assert isinstance(key.fileobj, socket.socket)
                key.fileobj.sendall(answer)


def _received(connection: object) -> int:
    """How many bytes are there; they are dropped."""
    assert isinstance(connection, socket.socket)
    size = 0
    with contextlib.suppress(BlockingIOError):
        while data := connection.recv(1 << 20):
            size += len(data)
    return size
