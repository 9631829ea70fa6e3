"""The HTTP/1.1 client for unix sockets (the control plane's API, Envoys' administration
interfaces): JSON in; text, JSON or a stream of JSON lines out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

_LARGEST_LINE = 1 << 26


class HttpError(Exception):
    """The server answered with an error status."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"status {status}: {body[:500].decode(errors='replace')}")
        self.status, self.body = status, body


class UnixHttp(Struct, frozen=True):
    """Requests to the server at the socket `path`. All raise OSError when nobody is there, EOFError
    when it ends in the middle of an answer, HttpError for an error status."""

    path: Path

    async def call(self, method: str, target: str, value: Any = None) -> Any:
        """One request and its whole answer, decoded (None when empty)."""
        body = await self.fetch(method, target, value)
        return json.loads(body) if body else None

    async def fetch(self, method: str, target: str, value: Any = None) -> bytes:
        """One request and its whole answer."""
        async with self._exchange(method, target, value) as (reader, headers):
            return b"".join([part async for part in _body(reader, headers)])

    async def lines(self, target: str) -> AsyncIterator[Any]:
        """The values of a stream of JSON lines, until the server ends it."""
        async with self._exchange("GET", target, None) as (reader, headers):
            rest = b""
            async for part in _body(reader, headers):
                *whole, rest = (rest + part).split(b"\n")
                for line in whole:
                    if line.strip():
                        yield json.loads(line)

    @asynccontextmanager
    async def _exchange(
        self, method: str, target: str, value: Any
    ) -> AsyncIterator[tuple[asyncio.StreamReader, dict[str, str]]]:
        reader, writer = await asyncio.open_unix_connection(str(self.path), limit=_LARGEST_LINE)
        try:
            body = b"" if value is None else json.dumps(value).encode()
            head = (
                f"{method} {target} HTTP/1.1\r\nHost: varka\r\nConnection: close\r\nContent-Length:"
                f" {len(body)}\r\n"
            )
            writer.write(head.encode() + b"Content-Type: application/json\r\n\r\n" + body)
            status, headers = await _head(reader)
            if status >= 400:
                raise HttpError(status, b"".join([part async for part in _body(reader, headers)]))
            yield reader, headers
        finally:
            writer.close()


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    first = (await reader.readline()).split(None, 2)
    if len(first) < 2:
        raise ConnectionResetError("closed without an answer")
    headers: dict[str, str] = {}
    while line := (await reader.readline()).strip():
        name, _, text = line.decode("latin-1").partition(":")
        headers[name.lower()] = text.strip()
    return int(first[1]), headers


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> AsyncIterator[bytes]:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        while length := int((await reader.readline()).split(b";")[0] or b"0", 16):
            yield await reader.readexactly(length)
            await reader.readline()
    elif "content-length" in headers:
        yield await reader.readexactly(int(headers["content-length"]))
    else:
        while data := await reader.read(1 << 16):
            yield data
