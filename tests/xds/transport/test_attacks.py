"""What bad clients cost: each is bounded, none disturbs a good stream beside it."""

from __future__ import annotations

import random
import resource
import struct
from collections.abc import Callable, Iterator

import pytest
from tests.xds.transport.serving import (
    OPENED,
    REQUEST,
    SETTINGS,
    RawClient,
    Serving,
    data,
    serving,
)

from varka.xds.transport import frames
from varka.xds.transport.frames import PREFACE, ErrorCode, frame
from varka.xds.transport.limits import Limits

GREETED = PREFACE + SETTINGS
CPU_SECONDS = 2.5
"""Of the whole process, the attacker included: a flood that is not stopped takes several times as
much."""
MEGABYTES = 120
R = random.Random(1)
Parts = Iterator[bytes]


def many(part: bytes, count: int) -> Parts:
    return (part * 100 for _ in range(count // 100))


def headers(stream: int, block: bytes = REQUEST, flags: int = frames.END_HEADERS) -> bytes:
    return frame(frames.HEADERS, flags, stream, block)


def hpack_bomb() -> Parts:
    entry = b"\x40\x01a\x7f\x81\x1e" + b"x" * (127 + 0x81 - 128 + (0x1E << 7))
    yield GREETED
    for number in range(20):
        yield headers(1 + 2 * number, REQUEST + entry + b"\xbe" * 12000)


def rapid_reset() -> Parts:
    yield GREETED
    for number in range(1, 40_000, 2):
        yield headers(number) + frames.rst_stream(number, ErrorCode.CANCEL)


def continuations(size: int, count: int) -> Parts:
    yield GREETED + headers(1, flags=0)
    yield from (frame(frames.CONTINUATION, 0, 1, b"\0\1a\1b" * size) for _ in range(count))


def unfinished() -> Parts:
    yield GREETED + b"".join(headers(1 + 2 * at) for at in range(8))
    for at in range(8):
        first = b"\0\0\xf0\0\0"  # The prefix of a message of 15 MB.
        for number in range(900):
            yield frame(frames.DATA, 0, 1 + 2 * at, bytes(16000) if number else first)


def settings_flood() -> Parts:
    yield OPENED
    for window in (1000, 70000) * 25_000:
        value = struct.pack(">HI", frames.INITIAL_WINDOW, window)
        yield frame(frames.SETTINGS, 0, 0, value)


CALM, PROTOCOL = ErrorCode.ENHANCE_YOUR_CALM, ErrorCode.PROTOCOL_ERROR
ATTACKS: dict[str, tuple[Callable[[], Parts], ErrorCode | None]] = {
    "garbage": (lambda: iter([R.randbytes(5000)]), PROTOCOL),
    "HTTP/1.1": (lambda: iter([b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"]), PROTOCOL),
    "TLS to plaintext": (lambda: iter([b"\x16\x03\x01\x02\x00" + R.randbytes(512)]), PROTOCOL),
    "half a preface": (lambda: iter([PREFACE[:10]]), CALM),
    "a preface, then silence": (lambda: iter([GREETED]), CALM),
    "a frame of 16 MB": (
        lambda: iter([GREETED + b"\xff\xff\xff\0\0\0\0\0\1"]),
        ErrorCode.FRAME_SIZE_ERROR,
    ),
    "CONTINUATION flood": (lambda: continuations(3276, 1000), CALM),
    "empty CONTINUATION flood": (lambda: continuations(0, 100_000), CALM),
    "HPACK bomb": (hpack_bomb, ErrorCode.COMPRESSION_ERROR),
    "rapid reset": (rapid_reset, CALM),
    "PING flood": (lambda: iter([OPENED, *many(frame(6, 0, 0, b"12345678"), 100_000)]), CALM),
    "SETTINGS flood": (settings_flood, CALM),
    "WINDOW_UPDATE flood": (
        lambda: iter([OPENED, *many(frames.window_update(1, 1), 100_000)]),
        CALM,
    ),
    "window overflow": (
        lambda: iter([OPENED + frames.window_update(0, frames.MAX_WINDOW) * 2]),
        ErrorCode.FLOW_CONTROL_ERROR,
    ),
    "PRIORITY flood": (
        lambda: iter([OPENED, *many(frame(frames.PRIORITY, 0, 1, b"\0\0\0\0\1"), 100_000)]),
        CALM,
    ),
    "empty DATA flood": (lambda: iter([OPENED, *many(frame(frames.DATA, 0, 1), 100_000)]), CALM),
    "padded empty DATA flood": (
        lambda: iter([OPENED, *many(frame(frames.DATA, 8, 1, b"\x64" + bytes(100)), 20_000)]),
        CALM,
    ),
    "unfinished messages": (unfinished, CALM),
    "messages of nothing": (
        lambda: iter([OPENED, *many(frame(frames.DATA, 0, 1, bytes(5) * 30), 10_000)]),
        CALM,
    ),
    "unknown frames flood": (lambda: iter([OPENED, *many(frame(99, 0, 0, b"x"), 100_000)]), CALM),
    "PUSH_PROMISE": (lambda: iter([GREETED + frame(frames.PUSH_PROMISE, 0, 1)]), PROTOCOL),
}


@pytest.fixture(scope="module")
def served() -> Iterator[Serving]:
    with serving(Limits(greeting=1.5)) as found:
        yield found


@pytest.fixture(scope="module")
def good(served: Serving) -> Iterator[RawClient]:
    client = RawClient(served.port())
    client.send(OPENED)
    yield client
    client.close()


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def megabytes() -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) >> 10 for line in status if line.startswith("VmRSS"))


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_ended_and_cheap(served: Serving, good: RawClient, name: str) -> None:
    parts, code = ATTACKS[name]
    client, used, held = RawClient(served.port(), timeout=10), cpu(), megabytes()
    try:
        for part in parts():
            client.send(part)
    except OSError:
        pass  # The server has closed.
    ended = client.until(frames.GOAWAY)
    assert ended is None or ended.code == code
    assert client.until(frames.GOAWAY) is None, "closed"
    client.close()
    assert cpu() - used < CPU_SECONDS
    assert megabytes() - held < MEGABYTES
    good.send(data(b"still there?"))
    answer = good.until(frames.DATA)
    assert answer is not None
    assert answer.payload[5:] == b"still there?"


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (b"\0\xff\xff\xff\xff", b"8"),  # 4 GB
        (b"\1\0\0\0\1x", b"12"),  # compressed
    ],
)
def test_a_message_that_is_refused_ends_its_stream_only(
    served: Serving, message: bytes, status: bytes
) -> None:
    client = RawClient(served.port())
    client.send(OPENED + frame(frames.DATA, 0, 1, message))
    assert client.until(frames.HEADERS) is not None
    trailers = client.until(frames.HEADERS)
    assert trailers is not None
    assert b"grpc-status" + bytes((len(status),)) + status in trailers.payload
    client.send(headers(3) + data(b"again", 3))
    answer = client.until(frames.DATA)
    assert answer is not None
    assert answer.payload[5:] == b"again"


def test_too_many_streams_are_refused_and_the_others_go_on(served: Serving) -> None:
    client = RawClient(served.port())
    client.send(GREETED + b"".join(headers(1 + 2 * at) for at in range(101)))
    refused = client.until(frames.RST_STREAM)
    assert refused is not None
    assert (refused.stream, refused.code) == (201, ErrorCode.REFUSED_STREAM)
    client.send(data(b"x", 199))
    answer = client.until(frames.DATA)
    assert answer is not None
    assert answer.stream == 199


def test_who_reads_no_pings_gets_no_answers_that_pile_up(served: Serving) -> None:
    held = megabytes()
    client = RawClient(served.port())
    client.send(OPENED)
    try:
        for part in many(frame(frames.PING, 0, 0, b"12345678"), 100_000):
            client.send(part)
    except OSError:
        pass
    assert megabytes() - held < 20
    client.close()


def test_too_many_connections_are_refused() -> None:
    with serving(Limits(connections=3)) as served:
        port = served.port()
        clients = [RawClient(port) for _ in range(3)]
        for client in clients:
            client.send(OPENED)
            assert client.until(frames.HEADERS) is not None
        one_more = RawClient(port)
        assert one_more.frame() is None
        clients[0].close()
        assert clients[1].socket.fileno() > 0
