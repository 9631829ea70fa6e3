"""Servers for pods of the rows, other than the stand-in.

`servers.py tls NAME PORT CA CERTIFICATE KEY`: each answer is one line that says which name was
asked for and whose certificate came; clients may have a certificate of CA. `servers.py lines PORT`:
what comes goes back, a CONNECT too, which is agreed to; `quiet` gets nothing. `servers.py greets
PORT`: speaks first, then as `lines`.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import Callable, Coroutine
from typing import Any


def context(ca: str, certificate: str, key: str, asked: dict[Any, str]) -> ssl.SSLContext:
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=ca)
    made.load_cert_chain(certificate, key)
    made.verify_mode = ssl.CERT_OPTIONAL

    def remember(connection: Any, name: str | None, _: ssl.SSLContext) -> None:
        asked[connection] = name or "nobody"

    made.sni_callback = remember
    return made


async def tls(name: str, port: str, ca: str, certificate: str, key: str) -> None:
    asked: dict[Any, str] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = await reader.read(4096)
        connection = writer.get_extra_info("ssl_object")
        subject = (connection.getpeercert() or {}).get("subject", ())
        peer = next((value for ((field, value),) in subject if field == "commonName"), "nobody")
        text = f"{asked.pop(connection, 'nobody')} at {name} for {peer}\n".encode()
        head = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(text)
        writer.write((head if b"HTTP/1.1" in data else b"") + text)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(
        serve, "0.0.0.0", int(port), ssl=context(ca, certificate, key, asked)
    )
    await server.serve_forever()


async def lines(port: str, greeting: bytes = b"") -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        while data := await reader.read(4096):
            if data.startswith(b"CONNECT "):
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            if data != b"quiet":
                writer.write(data)

    server = await asyncio.start_server(serve, "0.0.0.0", int(port))
    await server.serve_forever()


async def greets(port: str) -> None:
    await lines(port, b"220 at your service\n")


if __name__ == "__main__":
    servers: dict[str, Callable[..., Coroutine[Any, Any, None]]] = {
        "tls": tls,
        "lines": lines,
        "greets": greets,
    }
    asyncio.run(servers[sys.argv[1]](*sys.argv[2:]))
