"""Requests to a stand-in over loopback: every protocol, every way to get no answer."""

import asyncio
import json
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.certificates import Authority, Pair, self_signed

from varka.local.client.request import Failed, Protocol, Request, Response, Tls
from varka.local.client.sender import send
from varka.local.echo.config import EchoConfig, Port
from varka.local.echo.server import serve


async def one(url: str, **fields: Any) -> Response:
    summary = await send(Request(url, timeout=5, **fields))
    return summary.responses[0]


def echoed(response: Response) -> Any:
    assert response.echo is not None, response
    return response.echo


@pytest.mark.parametrize("declared", ["http", "http2", "grpc", ""])
@pytest.mark.parametrize(
    ("protocol", "name"), [(Protocol.HTTP11, "HTTP/1.1"), (Protocol.HTTP2, "HTTP/2")]
)
def test_http_reaches_any_port_that_may_speak_it(
    echo: Any, declared: str, protocol: Protocol, name: str
) -> None:
    async def test() -> None:
        async with echo(declared) as (port,):
            response = await one(
                f"http://127.0.0.1:{port}/a%2Fb//c?x=1#f",
                protocol=protocol,
                headers=(("Host", "reviews:9080"), ("X-Y", "1"), ("Empty", "")),
                body=b"hello",
            )
        assert (response.status, response.protocol, response.error) == (200, name, None)
        said = echoed(response)
        assert (said["path"], said["host"], said["method"], said["protocol"]) == (
            "/a%2Fb//c?x=1#f",
            "reviews:9080",
            "POST",
            name,
        )
        assert (said["pod"], said["version"], said["port"], said["headers"]["x-y"]) == (
            "reviews-v2-0",
            "v2",
            port,
            "1",
        )

    asyncio.run(test())


@pytest.mark.parametrize("protocol", [Protocol.HTTP11, Protocol.HTTP2])
def test_the_query_shapes_the_answer(echo: Any, protocol: Protocol) -> None:
    async def test() -> None:
        async with echo("http") as (port,):
            url = f"http://127.0.0.1:{port}"
            failing = await one(f"{url}/?status=503&headers=x:y", protocol=protocol)
            large = await one(f"{url}/?size=300000", protocol=protocol)
            empty = await one(f"{url}/?status=204", protocol=protocol)
            head = await one(f"{url}/", protocol=protocol, method="HEAD")
        assert (failing.status, failing.headers["x"], echoed(failing)["version"]) == (
            503,
            "y",
            "v2",
        )
        assert len(large.body) == 300_000
        assert (empty.status, empty.body, empty.error) == (204, "", None)
        assert (head.status, head.body, head.error) == (200, "", None)

    asyncio.run(test())


def test_grpc_health_echo_and_status(echo: Any) -> None:
    async def test() -> None:
        async with echo("grpc") as (port,):
            url = f"grpc://127.0.0.1:{port}"
            plain = await one(url)
            health = await one(f"{url}/grpc.health.v1.Health/Check")
            failing = await one(f"{url}/a.B/C?grpc-status=14&grpc-message=not%20now")
            unavailable = await one(f"{url}/a.B/C?status=503")
        assert (plain.status, plain.grpc_status, echoed(plain)["protocol"]) == (200, 0, "gRPC")
        assert (health.grpc_status, health.body) == (0, "\x08\x01")
        assert (
            failing.grpc_status,
            failing.headers["grpc-message"],
            echoed(failing)["path"][:6],
        ) == (14, "not now", "/a.B/C")
        assert unavailable.status == 503

    asyncio.run(test())


@pytest.mark.parametrize("declared", ["tcp", "mongo", ""])
def test_tcp_names_itself_and_sends_everything_back(echo: Any, declared: str) -> None:
    async def test() -> None:
        async with echo(declared) as (port,):
            summary = await send(Request(f"tcp://127.0.0.1:{port}", body=b"some bytes", count=3))
        assert [r.body.partition("\n")[2] for r in summary.responses] == ["some bytes"] * 3
        assert summary.by_version == {"v2": 3}
        assert echoed(summary.responses[0])["protocol"] == "TCP"

    asyncio.run(test())


def test_a_tcp_port_does_not_speak_http(echo: Any) -> None:
    async def test() -> None:
        async with echo("tcp") as (port,):
            assert (await one(f"http://127.0.0.1:{port}/")).error == Failed.RESET

    asyncio.run(test())


def test_websocket(echo: Any) -> None:
    async def test() -> None:
        async with echo("http") as (port,):
            response = await one(f"ws://127.0.0.1:{port}/chat", body=b"a message")
            refused = await one(f"ws://127.0.0.1:{port}/chat?status=403")
        assert (response.status, response.body, echoed(response)["path"]) == (
            101,
            "a message",
            "/chat",
        )
        assert (refused.status, echoed(refused)["pod"]) == (403, "reviews-v2-0")

    asyncio.run(test())


def test_calls_are_made_first_with_the_headers_of_a_trace(echo: Any) -> None:
    async def test() -> None:
        headers = (("x-request-id", "7"), ("cookie", "a=b"), ("x-b3-traceid", "1"), ("other", "no"))
        async with echo("http", pod="ratings-v1-0") as (ratings,):
            calls = (f"http://127.0.0.1:{ratings}/ratings/1", "http://127.0.0.1:1/")
            async with echo("http", calls=calls) as (reviews,):
                response = await one(f"http://127.0.0.1:{reviews}/", headers=headers)
        answered, failed = echoed(response)["calls"]
        assert (answered["pod"], answered["status"], answered["echo"]["path"]) == (
            "ratings-v1-0",
            200,
            "/ratings/1",
        )
        got = answered["echo"]["headers"]
        assert (got["x-request-id"], got["cookie"], got["x-b3-traceid"], "other" in got) == (
            "7",
            "a=b",
            "1",
            False,
        )
        assert (failed["status"], failed["error"]) == (0, "connect")

    asyncio.run(test())


def test_why_there_is_no_answer(echo: Any, closed_port: int) -> None:
    async def test() -> None:
        async with echo("http") as (port,):
            slow = await send(Request(f"http://127.0.0.1:{port}/?delay=10s", timeout=0.1))
            assert slow.responses[0].error == Failed.TIMEOUT
            assert (await one(f"https://127.0.0.1:{port}/")).error == Failed.TLS
        assert (await one(f"http://127.0.0.1:{closed_port}/")).error == Failed.CONNECT
        assert (await one("http://name.invalid/")).error == Failed.DNS

    asyncio.run(test())


@pytest.mark.parametrize("protocol", [Protocol.HTTP11, Protocol.HTTP2])
def test_many_are_counted_and_a_hundred_kept(echo: Any, protocol: Protocol) -> None:
    async def test() -> None:
        async with echo("http") as (port,):
            summary = await send(
                Request(f"http://127.0.0.1:{port}/", count=250, concurrency=5, protocol=protocol)
            )
        document = summary.to_document()
        assert len(document["responses"]) == 100
        assert document["summary"] == {
            "count": 250,
            "by_status": {"200": 250},
            "by_pod": {"reviews-v2-0": 250},
            "by_version": {"v2": 250},
            "errors": {},
        }

    asyncio.run(test())


@pytest.mark.parametrize(("concurrency", "connections"), [(0, 6), (1, 1), (3, 3)])
@pytest.mark.parametrize("protocol", [Protocol.HTTP11, Protocol.HTTP2])
def test_each_sender_keeps_its_connection(
    echo: Any, protocol: Protocol, concurrency: int, connections: int
) -> None:
    opened = []

    async def test() -> None:
        async with echo("http") as (port,):

            async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                opened.append(1)
                behind_reader, behind = await asyncio.open_connection("127.0.0.1", port)
                await asyncio.gather(pump(reader, behind), pump(behind_reader, writer))

            server = await asyncio.start_server(relay, "127.0.0.1", 0)
            number = server.sockets[0].getsockname()[1]
            await send(
                Request(
                    f"http://127.0.0.1:{number}/",
                    count=6,
                    concurrency=concurrency,
                    protocol=protocol,
                )
            )
            server.close()
        assert len(opened) == connections

    asyncio.run(test())


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(4096):
        writer.write(data)
    writer.close()


def test_a_kept_connection_that_the_peer_closed_is_opened_again() -> None:
    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async def test() -> None:
        server = await asyncio.start_server(answer_once, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        summary = await send(Request(f"http://127.0.0.1:{port}/", count=3, concurrency=1))
        server.close()
        assert (summary.by_status, summary.errors) == ({"200": 3}, {})

    asyncio.run(test())


def test_tls_with_a_given_authority(echo: Any, tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    self_signed(Pair(certificate, key), "/CN=a.example", names="DNS:a.example")

    async def test() -> None:
        async with echo("https", certificate=str(certificate), key=str(key)) as (port,):
            url, resolve = f"https://a.example:{port}/", (f"a.example:{port}:127.0.0.1",)
            trusted = Tls(ca=certificate.read_text())
            assert (await one(url, resolve=resolve, tls=trusted)).status == 200
            assert (
                await one(url, resolve=resolve, tls=trusted, protocol=Protocol.HTTP2)
            ).protocol == "HTTP/2"
            assert (await one(url, resolve=resolve)).error == Failed.TLS
            assert (
                await one(f"https://127.0.0.1:{port}/", tls=Tls(ca=trusted.ca, sni="a.example"))
            ).status == 200
            assert (await one(f"https://127.0.0.1:{port}/", tls=Tls(verify=False))).status == 200

    asyncio.run(test())


@pytest.mark.parametrize(
    ("offered", "error"),
    [
        (Tls(), None),
        (Tls(version="1.3"), Failed.TLS),
        (Tls(version="1.2"), None),
        (Tls(version="1.1"), None),
        (Tls(ciphers="ECDHE-RSA-AES128-GCM-SHA256"), None),
        (Tls(ciphers="ECDHE-RSA-AES256-GCM-SHA384"), Failed.TLS),
        (Tls(curve="P-384"), None),
        (Tls(curve="P-256"), Failed.TLS),
    ],
)
def test_only_what_is_asked_for_is_offered_in_tls(
    tmp_path: Path, offered: Tls, error: Failed | None
) -> None:
    pair = Authority.create(tmp_path).issue("a.example", rsa=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    with pytest.deprecated_call():
        context.minimum_version, context.maximum_version = (
            ssl.TLSVersion.TLSv1_1,
            ssl.TLSVersion.TLSv1_2,
        )
    context.set_ciphers("ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0")
    context.set_ecdh_curve("secp384r1")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(100))
        writer.close()

    async def test() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        asked = replace(offered, ca=(tmp_path / "ca.pem").read_text(), sni="a.example")
        assert (await one(f"tls://127.0.0.1:{port}", tls=asked)).error == error
        server.close()

    asyncio.run(test())


def test_a_request_travels_as_json() -> None:
    request = Request(
        "http://a/",
        headers=(("x", "y"),),
        body=b"\xff",
        protocol=Protocol.GRPC,
        tls=Tls(sni="z"),
        count=3,
    )
    assert Request.from_document(json.loads(json.dumps(request.to_document()))) == request


def test_the_module_prints_one_document(closed_port: int) -> None:
    request = json.dumps(Request(f"http://127.0.0.1:{closed_port}/").to_document())
    done = subprocess.run(
        [sys.executable, "-m", "varka.local.client", "-"],
        input=request,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["summary"]["errors"] == {"connect": 1}


def test_an_answer_that_breaks_off_is_not_asked_for_again() -> None:
    seen = []

    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            seen.append(1)
            whole = len(seen) == 1
            writer.write(
                b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n" + (b"ok" if whole else b"o")
            )
            await writer.drain()
            if not whole:
                break
        writer.close()

    async def test() -> None:
        server = await asyncio.start_server(break_off, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        summary = await send(Request(f"http://127.0.0.1:{port}/", count=2, concurrency=1))
        server.close()
        assert (summary.by_status, summary.errors, len(seen)) == ({"200": 1}, {"reset": 1}, 2)

    asyncio.run(test())


def test_a_taken_port_ends_the_stand_in(echo: Any) -> None:
    async def test() -> None:
        async with echo("http") as (port,):
            with pytest.raises(OSError, match="in use"):
                await serve(EchoConfig("a", ports=(Port(port),)))

    asyncio.run(test())


def test_a_silent_target_is_not_waited_for_again_and_again() -> None:
    """As when a firewall drops all packets: thirty requests take as long as two."""

    async def test() -> None:
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        began = loop.time()
        summary = await send(Request(f"http://127.0.0.1:{port}/", count=30, timeout=0.3))
        took = loop.time() - began
        server.close()
        assert (summary.count, dict(summary.errors)) == (30, {Failed.TIMEOUT: 30})
        assert took < 3

    asyncio.run(test())
