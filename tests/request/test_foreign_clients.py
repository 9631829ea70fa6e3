"""The stand-in against clients that are not ours: grpcio, aiohttp, and bytes in odd pieces."""

import asyncio
from typing import Any

import aiohttp
import grpc
import pytest

from varka.local.client.codec import read_field


def test_grpcio_unary_streams_and_status(echo: Any) -> None:
    async def test() -> None:
        async with (
            echo("grpc") as (port,),
            grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
        ):
            reply = await channel.unary_unary("/a.B/C")(b"message")
            assert b'"pod": "reviews-v2-0"' in (read_field(reply, 1) or b"")
            assert read_field(reply, 2) == b"message"

            bidi = channel.stream_stream("/a.B/C")(iter([b"1", b"2", b"3"]))
            assert [read_field(one, 2) async for one in bidi] == [b"1", b"2", b"3"]

            stream = channel.unary_stream("/a.B/C")(b"x", metadata=(("x-varka-wish", "count=4"),))
            assert len([one async for one in stream]) == 4

            with pytest.raises(grpc.aio.AioRpcError) as failed:
                await channel.unary_unary("/a.B/C")(
                    b"", metadata=(("x-varka-wish", "grpc-status=7&grpc-message=no way"),)
                )
            assert (failed.value.code(), failed.value.details()) == (
                grpc.StatusCode.PERMISSION_DENIED,
                "no way",
            )
            assert b"reviews-v2-0" in str(failed.value.trailing_metadata()).encode()

    asyncio.run(test())


def test_data_after_an_early_answer_harms_nobody(echo: Any) -> None:
    async def test() -> None:
        async with (
            echo("grpc") as (port,),
            grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
        ):
            large = iter([b"x" * 200_000] * 3)
            with pytest.raises(grpc.aio.AioRpcError):
                await channel.stream_unary("/a.B/C")(
                    large, metadata=(("x-varka-wish", "grpc-status=7"),)
                )
            assert await channel.unary_unary("/grpc.health.v1.Health/Check")(b"") == b"\x08\x01"

    asyncio.run(test())


@pytest.mark.parametrize("wish", ["delay=5s", "delay=5s&grpc-status=14"])
def test_an_answer_begins_when_there_is_one(echo: Any, wish: str) -> None:
    """A proxy may answer in the place of a server that has not begun."""

    async def test() -> None:
        async with (
            echo("") as (port,),
            grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
        ):
            call = channel.unary_stream("/a.B/C")(b"", metadata=(("x-varka-wish", wish),))
            begun = asyncio.ensure_future(call.initial_metadata())
            done, _ = await asyncio.wait([begun], timeout=0.5)
            assert not done
            call.cancel()
            await asyncio.wait([begun])

    asyncio.run(test())


def test_grpcio_health(echo: Any) -> None:
    async def test() -> None:
        async with (
            echo("grpc") as (port,),
            grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
        ):
            assert await channel.unary_unary("/grpc.health.v1.Health/Check")(b"") == b"\x08\x01"
            watch = channel.unary_stream("/grpc.health.v1.Health/Watch")(b"")
            assert await watch.read() == b"\x08\x01"
            assert not watch.done()
            watch.cancel()
            assert await channel.unary_unary("/grpc.health.v1.Health/Check")(b"") == b"\x08\x01"

    asyncio.run(test())


def test_a_large_grpc_message_passes_flow_control_both_ways(echo: Any) -> None:
    async def test() -> None:
        async with (
            echo("grpc") as (port,),
            grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
        ):
            message = b"x" * 3_000_000
            assert read_field(await channel.unary_unary("/a.B/C")(message), 2) == message

    asyncio.run(test())


def test_aiohttp_websocket(echo: Any) -> None:
    async def test() -> None:
        async with (
            echo("http") as (port,),
            aiohttp.ClientSession() as session,
            session.ws_connect(f"http://127.0.0.1:{port}/") as ws,
        ):
            await ws.send_str("text")
            await ws.send_bytes(b"\0" * 70_000)
            assert await ws.receive_str() == "text"
            assert await ws.receive_bytes() == b"\0" * 70_000

    asyncio.run(test())


@pytest.mark.parametrize("declared", ["http", ""])
def test_requests_in_pieces_pipelined_and_of_http_1_0(echo: Any, declared: str) -> None:
    async def test() -> None:
        async with echo(declared) as (port,):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            chunked = (
                b"POST /1 HTTP/1.1\r\nhost: a\r\ntransfer-encoding:"
                b" chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
            )
            for byte in (
                chunked
                + b"GET /2?delay=20ms HTTP/1.1\r\nhost: a\r\n\r\nGET /3 HTTP/1.0\r\nhost: a\r\n\r\n"
            ):
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0)
            answer = (await reader.read(-1)).decode()
            writer.close()
        assert [part[:4] for part in answer.split('"path": "/')[1:]] == ['1", ', "2?de", '3", ']
        assert answer.count("HTTP/1.1 200 OK") == 2
        assert answer.count("HTTP/1.0 200 OK") == 1

    asyncio.run(test())


def test_a_client_that_waits_for_100_continue(echo: Any) -> None:
    async def test() -> None:
        async with echo("http") as (port,):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(
                b"POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n"
            )
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b"ab")
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            writer.close()

    asyncio.run(test())


def test_no_http_is_a_400(echo: Any) -> None:
    async def test() -> None:
        async with echo("http") as (port,):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"hello\r\n\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 400")
            writer.close()

    asyncio.run(test())


@pytest.mark.parametrize("declared", ["", "mysql"])
@pytest.mark.parametrize("method", ["GET", "PURGE", "M-SEARCH", "PROPFIND"])
def test_any_method_of_http_is_http(echo: Any, declared: str, method: str) -> None:
    async def test() -> None:
        async with echo(declared) as (port,):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"{method} / HTTP/1.1\r\nhost: a\r\n\r\n".encode())
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            writer.close()

    asyncio.run(test())


def test_a_server_first_protocol_greets_who_is_silent(echo: Any) -> None:
    async def test() -> None:
        async with echo("mysql") as (port,):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert b'"protocol": "TCP"' in await reader.readline()
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
            writer.close()

    asyncio.run(test())
