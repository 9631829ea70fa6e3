"""A connection from its greeting to its end: keepalive, age, shutdown, slow readers."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.xds.transport.serving import OPENED, SETTINGS, RawClient, Serving, data, serving

from varka.xds.transport import frames
from varka.xds.transport.frames import ErrorCode, frame
from varka.xds.transport.headers import literal
from varka.xds.transport.limits import Limits
from varka.xds.transport.message import PREFIX


def opened(served: Serving, port: int, receive_buffer: int = 0) -> RawClient:
    client = RawClient(port, receive_buffer=receive_buffer)
    client.send(OPENED)
    assert client.until(frames.HEADERS) is not None
    return client


def until(condition: object, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    assert callable(condition)
    while not condition():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.01)


def test_a_silent_client_is_asked_and_lives_by_its_answer() -> None:
    with serving(Limits(keepalive=0.5, keepalive_answer=1.5)) as served:
        port = served.port()
        alive, dead = opened(served, port), opened(served, port)
        deadline = time.monotonic() + 6
        pings = 0
        while time.monotonic() < deadline and pings < 2:
            ping = alive.until(frames.PING)
            assert ping is not None
            alive.send(frame(frames.PING, frames.ACK, 0, ping.payload))
            pings += 1
        alive.send(data(b"alive"))
        assert alive.until(frames.DATA) is not None
        assert dead.until(frames.GOAWAY) is None, "closed"


def test_an_old_connection_is_asked_to_leave_and_its_streams_end_with_unavailable() -> None:
    with serving(Limits(max_age=1, farewell=0.5)) as served:
        client = opened(served, served.port())
        leave = client.until(frames.GOAWAY)
        assert leave is not None
        assert leave.code == ErrorCode.NO_ERROR
        client.send(data(b"still served"))
        assert client.until(frames.DATA) is not None
        trailers = client.until(frames.HEADERS)
        assert trailers is not None
        assert b"grpc-status\x0214" in trailers.payload
        assert client.until(frames.GOAWAY) is None, "closed"
        assert not served.streams


def test_a_server_stops_in_order() -> None:
    with serving() as served:
        client = opened(served, served.port())
        served.call(lambda: served.server.stop(1))
        ended = [(one.kind, one.flags & frames.END_STREAM) for one in client.rest()]
        assert (frames.GOAWAY, 0) in ended
        assert (frames.HEADERS, frames.END_STREAM) in ended
        assert not served.streams
        assert served.server.connections == 0


def test_a_unix_socket_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with serving() as served:
        served.call(lambda: served.server.listen_unix(path))
        assert path.stat().st_mode & 0o777 == 0o600


def test_an_address_in_use_is_an_error() -> None:
    with serving() as served:
        port = served.port()
        with pytest.raises(OSError, match="in use"):
            served.call(lambda: served.server.listen_tcp("127.0.0.1", port))


def test_slow_readers_hold_up_nobody_and_cost_no_copies() -> None:
    """50 never read what the kernel does not take for them; the others get all of 10 MB."""
    size, times = 3_400_000, 3
    with serving() as served:
        port = served.port()
        slow = [opened(served, port, 32 << 10) for _ in range(50)]
        quick = [opened(served, port) for _ in range(4)]
        window = frames.window_update(0, 1 << 24) + frames.window_update(1, 1 << 24)
        for client in (*slow, *quick):
            client.send(window + data(b"ready"))
            assert client.until(frames.DATA) is not None
        started = time.monotonic()
        for _ in range(times):
            served.push(b"x" * size)
        for client in quick:
            missing = times * (size + PREFIX)
            while missing:
                one = client.until(frames.DATA)
                assert one is not None
                missing -= len(one.payload)
        assert time.monotonic() - started < 10
        waiting = served.do(lambda: [echo for echo in served.streams if echo.stream.waiting])
        assert len(waiting) == len(slow)
        assert not any(echo.drained_times for echo in waiting)


def test_a_stream_tells_when_what_waited_has_left() -> None:
    with serving() as served:
        client = opened(served, served.port())
        (echo,) = served.streams
        served.push(b"y" * 200_000)  # More than the window of 65,535.
        assert served.do(lambda: echo.stream.waiting)
        size = 0
        while size < 65_535:
            one = client.until(frames.DATA)
            assert one is not None
            size += len(one.payload)
        assert echo.drained_times == 0
        client.send(frames.window_update(0, 1 << 20) + frames.window_update(1, 1 << 20))
        until(lambda: echo.drained_times == 1)
        assert not echo.stream.waiting


def test_what_is_no_grpc_is_told_so() -> None:
    request = b"".join(
        literal(name, value)
        for name, value in ((b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/"))
    )
    ends = frames.END_HEADERS | frames.END_STREAM
    with serving() as served:
        client = RawClient(served.port())
        client.send(frames.PREFACE + SETTINGS + frame(frames.HEADERS, ends, 1, request))
        head, body = client.until(frames.HEADERS), client.until(frames.DATA)
        assert head is not None
        assert b"415" in head.payload
        assert body is not None
        assert b"gRPC only" in body.payload
