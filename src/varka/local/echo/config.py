"""Who the stand-in is, a request as it arrived, what the caller wants of the answer: values, no
IO."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from msgspec import Struct

from varka.base.duration import Duration

WISH_HEADER = "x-varka-wish"
"""The same wishes as in the query, for callers that have no query: `status=503&delay=200ms` (gRPC
metadata)."""


class Port(Struct, frozen=True):
    """`protocol` is what the program speaks there, in Istio's words (`http`, `grpc`, `tcp`, ...).

    Empty: the first bytes of each connection decide. `mysql`: they decide as well, but to a client
    that stays silent the stand-in speaks first, as servers of such protocols do.
    """

    number: int
    protocol: str = ""

    @property
    def plain(self) -> bool:
        """Whether it speaks bytes, not HTTP."""
        return self.protocol.lower() in ("tcp", "tls", "mongo", "redis")

    @property
    def http(self) -> bool:
        return self.protocol.lower() in ("http", "http2", "https", "grpc", "grpc-web")

    @property
    def server_first(self) -> bool:
        """Whether a client may wait for the server to speak."""
        return self.protocol.lower() == "mysql"

    @property
    def secure(self) -> bool:
        return self.protocol.lower() in ("https", "tls")


class EchoConfig(Struct, frozen=True):
    """One stand-in. `calls` are URLs to call before answering; `certificate` and `key` are PEM
    files for `https` and `tls` ports, which speak plain text without them."""

    pod: str
    namespace: str = "default"
    version: str = ""
    service_account: str = "default"
    ip: str = ""
    ports: tuple[Port, ...] = ()
    calls: tuple[str, ...] = ()
    certificate: str = ""
    key: str = ""

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> EchoConfig:
        """`{"pod", "namespace", "version", "service_account", "ip", "ports": [{"number",
        "protocol"}], "calls": [url], "certificate", "key"}`; all but `pod` may be missing. Raises
        TypeError for other fields."""
        ports = tuple(Port(**port) for port in document.get("ports", ()))
        return cls(**{**document, "ports": ports, "calls": tuple(document.get("calls", ()))})


class IncomingRequest(Struct, frozen=True):
    """One request as it arrived; `headers` have lower-case names, `path` is untouched."""

    port: int
    protocol: str
    peer: str
    method: str = ""
    path: str = ""
    host: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")


class Wishes(Struct, frozen=True):
    """What the query asks of the answer: `?status=503`, `?delay=200ms`, `?size=10000`,
    `?headers=k:v` (again, or with commas); for gRPC `?grpc-status=14`, `?grpc-message=text`, and
    `?count=3` answers to each message."""

    status: int = 200
    delay: float = 0.0
    size: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    grpc_status: int = 0
    grpc_message: str = ""
    count: int = 1

    @classmethod
    def of(cls, request: IncomingRequest) -> Wishes:
        """A value that cannot be read is none of ours: the query belongs to the application that we
        stand in for."""
        if "?" not in request.path and not request.header(WISH_HEADER):
            return _NONE
        pairs = [
            *parse_qsl(request.path.partition("?")[2]),
            *parse_qsl(request.header(WISH_HEADER)),
        ]
        values = dict(pairs)
        return cls(
            status=_number(values.get("status"), 200, 200, 599),
            delay=_seconds(values.get("delay")),
            size=_number(values.get("size"), 0, 0, 1 << 28),
            headers=tuple(_headers(value for name, value in pairs if name == "headers")),
            grpc_status=_number(values.get("grpc-status"), 0, 0, 16),
            grpc_message=values.get("grpc-message", ""),
            count=_number(values.get("count"), 1, 0, 10_000),
        )


_NONE = Wishes()


def _number(text: str | None, default: int, least: int, most: int) -> int:
    return int(text) if text and text.isdecimal() and least <= int(text) <= most else default


def _seconds(text: str | None) -> float:
    try:
        return max(Duration.parse(text).total_seconds, 0.0) if text else 0.0
    except ValueError:
        return 0.0


def _headers(values: Iterable[str]) -> Iterable[tuple[str, str]]:
    for value in values:
        for pair in value.split(","):
            name, colon, text = pair.partition(":")
            if (
                colon
                and name
                and name.replace("-", "").replace("_", "").isalnum()
                and text.isprintable()
            ):
                yield name.lower(), text.strip()
