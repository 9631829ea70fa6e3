"""What is sent and what comes back, as values with a JSON form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct, field

from varka.local.client.codec import ECHO_METHOD

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "grpc": 80, "grpcs": 443}
SCHEMES = (*DEFAULT_PORTS, "tcp", "tls")
TLS_SCHEMES = ("https", "wss", "grpcs", "tls")


class Protocol(StrEnum):
    HTTP11 = "http1.1"
    HTTP2 = "http2"
    GRPC = "grpc"
    WEBSOCKET = "ws"
    TCP = "tcp"


class Failed(StrEnum):
    """Why there was no answer."""

    CONNECT = "connect"
    RESET = "reset"
    TLS = "tls"
    TIMEOUT = "timeout"
    DNS = "dns"


class Target(Struct, frozen=True):
    """A URL taken apart; `path` is what was written behind the authority, not a byte changed."""

    scheme: str
    host: str
    port: int
    authority: str
    path: str

    @classmethod
    def parse(cls, url: str) -> Target:
        """Raises ValueError with the reason."""
        scheme, separator, rest = url.partition("://")
        if not separator:
            scheme, rest = "http", url
        if scheme not in SCHEMES:
            raise ValueError(f"scheme {scheme!r} is none of {', '.join(SCHEMES)}")
        end = min((at for at in (rest.find(c) for c in "/?#") if at >= 0), default=len(rest))
        authority, path = rest[:end].rpartition("@")[2], rest[end:]
        host, port = _host_and_port(authority, DEFAULT_PORTS.get(scheme))
        if scheme in ("grpc", "grpcs") and path in ("", "/"):
            path = ECHO_METHOD
        return cls(scheme, host, port, authority, path if path.startswith("/") else f"/{path}")


def _host_and_port(authority: str, default: int | None) -> tuple[str, int]:
    if authority.startswith("["):
        host, _, port = authority[1:].partition("]")
        port = port.removeprefix(":")
    else:
        host, _, port = authority.partition(":")
    if not host:
        raise ValueError("a URL needs a host")
    if not port and default is None:
        raise ValueError("this URL needs a port")
    if port and not (port.isdecimal() and 0 < int(port) < 65536):
        raise ValueError(f"{port!r} is no port")
    return host, int(port) if port else default or 0


class Tls(Struct, frozen=True):
    """`ca`, `certificate` and `key` are PEM texts: the sender may run where the user's files are
    not.

    `version` (`1.2`), `ciphers` (OpenSSL's list, up to TLS 1.2) and `curve` (`P-256`) are all that
    is offered; "" offers what is usual.
    """

    ca: str = ""
    certificate: str = ""
    key: str = ""
    sni: str = ""
    verify: bool = True
    version: str = ""
    ciphers: str = ""
    curve: str = ""


class Request(Struct, frozen=True):
    """One request, sent `count` times by `concurrency` senders.

    Without `concurrency` each goes over a connection of its own, as curl sends them; with it, each
    sender keeps its connection. `resolve` holds `HOST:PORT:ADDRESS` as curl's flag does. `timeout`
    is in seconds, for one request.
    """

    url: str
    method: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    protocol: Protocol | None = None
    count: int = 1
    concurrency: int = 0
    timeout: float = 15.0
    resolve: tuple[str, ...] = ()
    tls: Tls = Tls()

    def chosen_protocol(self, target: Target) -> Protocol:
        if target.scheme in ("tcp", "tls"):
            return Protocol.TCP
        if target.scheme in ("ws", "wss"):
            return Protocol.WEBSOCKET
        if target.scheme in ("grpc", "grpcs"):
            return Protocol.GRPC
        return self.protocol or Protocol.HTTP11

    def chosen_method(self) -> str:
        return self.method or ("POST" if self.body else "GET")

    def authority(self, target: Target) -> str:
        return next(
            (value for name, value in self.headers if name.lower() == "host"), target.authority
        )

    def other_headers(self) -> tuple[tuple[str, str], ...]:
        """All but `host`, in lower case, with a `user-agent` and `accept` where the user gave
        none."""
        given = tuple(
            (name.lower(), value) for name, value in self.headers if name.lower() != "host"
        )
        names = {name for name, _ in given}
        defaults = (("user-agent", "varka"), ("accept", "*/*"))
        return (*(d for d in defaults if d[0] not in names), *given)

    def to_document(self) -> dict[str, Any]:
        document: dict[str, Any] = msgspec.to_builtins(self)
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Request:
        """Raises msgspec.ValidationError."""
        return msgspec.convert(document, cls)


class Response(Struct, frozen=True):
    """`status` is 0 where there was no HTTP answer; then `error` says why, unless the protocol has
    no statuses (TCP)."""

    status: int = 0
    protocol: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    echo: Mapping[str, Any] | None = None
    duration_ms: float = 0.0
    error: Failed | None = None
    grpc_status: int | None = None

    def to_document(self) -> dict[str, Any]:
        document = {
            "status": self.status,
            "protocol": self.protocol,
            "headers": dict(self.headers),
            "body": self.body,
            "echo": self.echo,
            "duration_ms": round(self.duration_ms, 2),
            "error": self.error,
        }
        return (
            document if self.grpc_status is None else {**document, "grpc_status": self.grpc_status}
        )


def header_map(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Names in lower case; values of a repeated name joined with a comma, as HTTP allows."""
    joined: dict[str, str] = {}
    for name, value in headers:
        lower = name.lower()
        joined[lower] = f"{joined[lower]}, {value}" if lower in joined else value
    return joined


class Summary:
    """Counts over many responses, of which it keeps the first hundred."""

    KEPT = 100

    def __init__(self) -> None:
        self.responses: list[Response] = []
        self.count = 0
        self.by_status: Counter[str] = Counter()
        self.by_pod: Counter[str] = Counter()
        self.by_version: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()

    @property
    def is_silent(self) -> bool:
        """Whether nobody has answered, and one request had no answer in time."""
        return self.errors[Failed.TIMEOUT] > 0 and self.errors.total() == self.count

    def add(self, response: Response) -> None:
        self.count += 1
        if len(self.responses) < self.KEPT:
            self.responses.append(response)
        if response.error:
            self.errors[response.error] += 1
        if response.status:
            self.by_status[str(response.status)] += 1
        if response.echo:
            for counter, name in ((self.by_pod, "pod"), (self.by_version, "version")):
                if value := response.echo.get(name):
                    counter[value] += 1

    def to_document(self) -> dict[str, Any]:
        return {
            "responses": [r.to_document() for r in self.responses],
            "summary": {
                "count": self.count,
                "by_status": dict(sorted(self.by_status.items())),
                "by_pod": dict(sorted(self.by_pod.items())),
                "by_version": dict(sorted(self.by_version.items())),
                "errors": dict(sorted(self.errors.items())),
            },
        }
