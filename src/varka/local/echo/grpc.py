"""gRPC: the health service, and every other method as an echo that answers each message as it
comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from varka.local.client.codec import ECHO_HEADER, encode_field, encode_message, take_messages
from varka.local.echo.config import IncomingRequest, Wishes
from varka.local.echo.stream import Answering

HEALTH = "/grpc.health.v1.Health/"
SERVING = b"\x08\x01"


class Sending(Protocol):
    async def headers(self, headers: tuple[tuple[str, str], ...], *, end: bool = False) -> None: ...
    async def data(self, data: bytes, *, end: bool = False) -> None: ...


async def serve(
    request: IncomingRequest,
    data: asyncio.Queue[bytes | None],
    answering: Answering,
    sending: Sending,
) -> None:
    wishes = Wishes.of(request)
    request = replace(request, protocol="gRPC")
    head = ((":status", str(wishes.status)), ("content-type", "application/grpc"), *wishes.headers)
    if wishes.grpc_status:
        await _fail(request, data, answering, sending, head)
        return
    replying = _Replying(sending, head)
    if request.path.startswith(HEALTH):
        await _health(request, data, replying)
    else:
        async for message in _messages(data):
            answer = await answering(request)
            reply = encode_message(encode_field(1, answer.body) + encode_field(2, message))
            for _ in range(wishes.count):
                await replying.message(reply)
    await replying.end()


class _Replying(Struct):
    """The headers go out with the first message, as gRPC servers send them: who waits with the
    answer has not begun one, so that Envoy may still answer in its place or try again."""

    sending: Sending
    head: tuple[tuple[str, str], ...]
    begun: bool = False

    async def message(self, encoded: bytes) -> None:
        await self._begin()
        await self.sending.data(encoded)

    async def end(self) -> None:
        await self._begin()
        await self.sending.headers((("grpc-status", "0"),), end=True)

    async def _begin(self) -> None:
        if not self.begun:
            self.begun = True
            await self.sending.headers(self.head)


async def _fail(
    request: IncomingRequest,
    data: asyncio.Queue[bytes | None],
    answering: Answering,
    sending: Sending,
    head: tuple[tuple[str, str], ...],
) -> None:
    """The status comes in the headers, as from servers that fail before they answer: there Envoy
    looks when it decides on a retry. The echo object comes in a header, too."""
    await data.get()
    wishes, answer = Wishes.of(request), await answering(request)
    text = (("grpc-message", quote(wishes.grpc_message, safe=" ")),) if wishes.grpc_message else ()
    echo = (ECHO_HEADER, answer.body.strip().decode())
    await sending.headers((*head, ("grpc-status", str(wishes.grpc_status)), *text, echo), end=True)


async def _health(
    request: IncomingRequest, data: asyncio.Queue[bytes | None], replying: _Replying
) -> None:
    async for _ in _messages(data):
        await replying.message(encode_message(SERVING))
    if request.path.partition("?")[0].endswith("/Watch"):
        # A watch lasts until its caller resets the stream, which cancels this task.
        await asyncio.get_running_loop().create_future()


async def _messages(data: asyncio.Queue[bytes | None]) -> AsyncIterator[bytes]:
    buffer = bytearray()
    while (chunk := await data.get()) is not None:
        buffer += chunk
        for message in take_messages(buffer):
            yield message
