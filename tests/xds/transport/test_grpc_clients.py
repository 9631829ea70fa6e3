"""Clients that we did not write: grpcio over TCP, Unix sockets and TLS."""

from __future__ import annotations

import os
import queue
import ssl
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from tests.certificates import Authority, Pair
from tests.xds.transport.serving import BROKEN, ECHO, UNARY, Serving, serving

from varka.xds.transport.tls import server_context


@pytest.fixture(scope="module")
def served() -> Iterator[Serving]:
    with serving() as found:
        yield found


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("ca"))


@pytest.fixture(params=["tcp", "unix", "tls", "mtls"])
def channel(
    request: pytest.FixtureRequest, served: Serving, authority: Authority, tmp_path: Path
) -> Iterator[grpc.Channel]:
    kind: str = request.param
    if kind == "tcp":
        opened = grpc.insecure_channel(f"127.0.0.1:{served.port()}")
    elif kind == "unix":
        path = tmp_path / "s"
        served.call(lambda: served.server.listen_unix(path))
        opened = grpc.insecure_channel(f"unix:{path}")
    else:
        context = tls(authority)
        port = served.call(lambda: served.server.listen_tcp("127.0.0.1", 0, context))
        client = authority.issue("client", identity="spiffe://td/ns/a/sa/b")
        opened = secure(authority, port, client if kind == "mtls" else None)
    yield opened
    opened.close()


def tls(authority: Authority, file: str = "server") -> ssl.SSLContext:
    pair = authority.issue("localhost", file)
    return server_context(pair.certificate.read_bytes(), pair.key.read_bytes(), authority.pem)


def secure(authority: Authority, port: int, client: Pair | None) -> grpc.Channel:
    own = (client.key.read_bytes(), client.certificate.read_bytes()) if client else (None, None)
    credentials = grpc.ssl_channel_credentials(authority.pem.encode(), *own)
    options = [("grpc.ssl_target_name_override", "localhost")]
    return grpc.secure_channel(f"127.0.0.1:{port}", credentials, options=options)


def test_a_stream_answers_message_by_message(channel: grpc.Channel) -> None:
    outgoing: queue.Queue[bytes | None] = queue.Queue()
    responses = channel.stream_stream(ECHO)(iter(outgoing.get, None), timeout=20)
    for body in (b"one", b"", b"x" * 100_000, b"y" * 3_000_000):
        outgoing.put(body)
        assert next(responses) == body
    outgoing.put(None)
    assert list(responses) == []
    assert responses.code() is grpc.StatusCode.OK


def test_a_status_comes_with_its_message(channel: grpc.Channel) -> None:
    responses = channel.stream_stream(ECHO)(iter([b"status:7"]), timeout=20)
    with pytest.raises(grpc.RpcError) as raised:
        next(responses)
    assert raised.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert raised.value.details() == "as you wish: ä%"


def test_unary_methods(channel: grpc.Channel) -> None:
    once = channel.unary_unary(UNARY)
    assert once(b"hello", timeout=20) == b"hello"
    for request, code in (
        (b"refused", grpc.StatusCode.PERMISSION_DENIED),
        (b"bug", grpc.StatusCode.INTERNAL),
    ):
        with pytest.raises(grpc.RpcError) as raised:
            once(request, timeout=20)
        assert raised.value.code() is code


def test_a_deadline_ends_a_call(channel: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        channel.unary_unary(UNARY)(b"slow", timeout=0.3)
    assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_unknown_methods_and_bugs(channel: grpc.Channel) -> None:
    for path, code in (
        ("/x.Y/Z", grpc.StatusCode.UNIMPLEMENTED),
        (BROKEN, grpc.StatusCode.INTERNAL),
    ):
        with pytest.raises(grpc.RpcError) as raised:
            channel.unary_unary(path)(b"", timeout=20)
        assert raised.value.code() is code
    with pytest.raises(grpc.RpcError) as raised:
        next(channel.stream_stream(ECHO)(iter([b"bug"]), timeout=20))
    assert raised.value.code() is grpc.StatusCode.INTERNAL


def test_the_peer_is_known(served: Serving, authority: Authority, tmp_path: Path) -> None:
    path = tmp_path / "s"
    served.call(lambda: served.server.listen_unix(path))
    context = tls(authority)
    port = served.call(lambda: served.server.listen_tcp("127.0.0.1", 0, context))
    client = authority.issue("client", identity="spiffe://td/ns/a/sa/b")
    for opened, expected in (
        (grpc.insecure_channel(f"unix:{path}"), f"pid={os.getpid()}, uid={os.getuid()}"),
        (secure(authority, port, client), "uris=('spiffe://td/ns/a/sa/b',)"),
        (secure(authority, port, None), "tls=True, uris=()"),
    ):
        with opened:
            answer = next(opened.stream_stream(ECHO)(iter([b"peer"]), timeout=20))
        assert expected in answer.decode()


def test_a_strangers_certificate_is_refused(
    served: Serving, authority: Authority, tmp_path: Path
) -> None:
    context = tls(authority)
    port = served.call(lambda: served.server.listen_tcp("127.0.0.1", 0, context))
    stranger = Authority.create(tmp_path / "other").issue("stranger")
    with secure(authority, port, stranger) as opened, pytest.raises(grpc.RpcError) as raised:
        opened.unary_unary(UNARY)(b"x", timeout=5)
    assert raised.value.code() is grpc.StatusCode.UNAVAILABLE


def test_certificates_rotate_without_a_restart(served: Serving, authority: Authority) -> None:
    context = tls(authority)
    port = served.call(lambda: served.server.listen_tcp("127.0.0.1", 0, context))
    other = Authority.create(authority.folder / "next")
    with secure(authority, port, None) as before:
        outgoing: queue.Queue[bytes | None] = queue.Queue()
        responses = before.stream_stream(ECHO)(iter(outgoing.get, None), timeout=20)
        outgoing.put(b"1")
        assert next(responses) == b"1"
        served.call(lambda: served.server.replace_tls(tls(other)))
        with secure(other, port, other.issue("client")) as after:
            assert after.unary_unary(UNARY)(b"new", timeout=20) == b"new"
        outgoing.put(b"2")
        assert next(responses) == b"2", "the connection of before goes on"
        outgoing.put(None)
