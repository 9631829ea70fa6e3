"""A collector of access logs and spans, whatever protocol they come in: each message is one line of
JSON on stdout.

`collector.py GRPC_PORT HTTP_PORT`: gRPC services of Envoy (access logs) and OpenTelemetry are read
as what they are; of all else, and of what comes over HTTP, the line has the printable parts. Lines
begin with the method or path and the metadata.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Callable
from typing import Any

import grpc
from envoy.service.accesslog.v3 import als_pb2
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

Show = Callable[[bytes], Any]


def message(kind: Any) -> Show:
    return lambda data: MessageToDict(kind.FromString(data))


def printable(data: bytes) -> str:
    return " ".join(part.decode() for part in re.findall(rb"[ -~]{3,}", data))


KNOWN: dict[str, Show] = {
    "/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs": message(
        als_pb2.StreamAccessLogsMessage
    ),
    "/opentelemetry.proto.collector.logs.v1.LogsService/Export": message(
        logs_service_pb2.ExportLogsServiceRequest
    ),
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export": message(
        trace_service_pb2.ExportTraceServiceRequest
    ),
}


def say(*what: Any) -> None:
    sys.stdout.write(json.dumps(what, separators=(",", ":")) + "\n")
    sys.stdout.flush()


class Anything:
    """A generic handler, of which grpc.aio wants no more than `service`. Streams are read to their
    end and get no answer, single messages an empty one."""

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        method = details.method or ""
        metadata = {key: str(value) for key, value in details.invocation_metadata or ()}
        show = KNOWN.get(method, printable)

        async def read(messages: Any, _: Any) -> bytes:
            async for data in messages:
                say(method, metadata, show(data))
            return b""

        return grpc.stream_unary_rpc_method_handler(read)


async def http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One line per request; connections stay open."""
    while head := await reader.readuntil(b"\r\n\r\n"):
        first, *lines = head.decode().strip().split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines)
        }
        body = b""
        if "chunked" in headers.get("transfer-encoding", ""):
            while size := int(await reader.readline(), 16):
                body += (await reader.readexactly(size + 2))[:-2]
            await reader.readline()
        body += await reader.readexactly(int(headers.get("content-length", 0)))
        say(first.split()[1], headers, printable(body))
        writer.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()


async def serve(grpc_port: str, http_port: str) -> None:
    server = grpc.aio.server(handlers=[Anything()])
    server.add_insecure_port(f"0.0.0.0:{grpc_port}")
    await server.start()
    await (await asyncio.start_server(http, "0.0.0.0", int(http_port))).serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
