"""What a server serves: methods by path, each a function that takes a new stream and gives its
handler."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from varka.xds.transport.message import Message
from varka.xds.transport.status import CallError, Status

if TYPE_CHECKING:
    from varka.xds.transport.stream import Stream

log = logging.getLogger(__name__)


class Handler(Protocol):
    """Is told what happens on one stream, in the event loop's thread. What it raises ends the
    stream with INTERNAL and is logged."""

    def received(self, body: bytes) -> None:
        """A message. Equal messages of different streams may be the same object."""

    def half_closed(self) -> None:
        """The client sends nothing more; the stream is open until the handler ends it."""

    def drained(self) -> None:
        """Everything sent so far has left. Called once after `Stream.waiting` was true."""

    def closed(self) -> None:
        """The stream is over: ended, reset, or its connection is gone. The last call."""


Method = Callable[["Stream"], Handler]
Unary = Callable[["Stream", bytes], Awaitable[bytes]]


def unary(function: Unary) -> Method:
    """A method with one request and one response. It may raise CallError; the deadline of the
    request cancels it."""
    return lambda stream: _UnaryHandler(stream, function)


class _UnaryHandler:
    def __init__(self, stream: Stream, function: Unary) -> None:
        self._stream, self._function = stream, function
        self._request: bytes | None = None
        self._task: asyncio.Task[None] | None = None

    def received(self, body: bytes) -> None:
        if self._request is not None:
            self._stream.end(Status.INVALID_ARGUMENT, "a unary method takes one message")
        self._request = body

    def half_closed(self) -> None:
        if self._request is None:
            self._stream.end(Status.INVALID_ARGUMENT, "a unary method takes one message")
            return
        self._task = asyncio.get_running_loop().create_task(self._answer(self._request))

    def drained(self) -> None:
        pass

    def closed(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _answer(self, request: bytes) -> None:
        try:
            response = await self._function(self._stream, request)
        except CallError as error:
            self._stream.end(error.status, str(error))
        except Exception:
            log.exception("%s failed", self._stream.head.path)
            self._stream.end(Status.INTERNAL, "internal error")
        else:
            self._stream.send(Message(response))
            self._stream.end(Status.OK)
