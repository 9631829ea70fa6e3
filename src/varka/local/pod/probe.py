"""Whether a workload answers: asked from inside its pod, past its Envoy, as Istio's rewritten
probes do."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from varka.base.digits import number
from varka.local.network.podspace import PodSpace, network_of
from varka.resources.model import kubernetes

_LISTEN = "0A"


def listening(space: PodSpace | None, home: int) -> set[int]:
    """TCP ports that somebody listens on in a pod, at whatever address; no connection is made."""
    if space is None:
        return _listening_here()
    with network_of(space, home):
        return _listening_here()


def _listening_here() -> set[int]:
    ports: set[int] = set()
    for table in ("tcp", "tcp6"):
        try:
            lines = Path(f"/proc/self/net/{table}").read_text().splitlines()[1:]
        except OSError:
            continue
        fields = (line.split() for line in lines)
        ports.update(
            int(field[1].rpartition(":")[2], 16) for field in fields if field[3] == _LISTEN
        )
    return ports


async def probe(
    checked: kubernetes.Probe,
    container: kubernetes.Container,
    ip: str,
    space: PodSpace | None,
    home: int,
) -> bool:
    """One attempt of an httpGet, tcpSocket or grpc probe (of the latter the connection only)."""
    port, request = _target(checked, container, ip)
    if not port:
        return True
    try:
        async with asyncio.timeout(max(checked.timeout_seconds, 1)):
            connection = await _connect(ip, port, space, home)
            with connection:
                return await _status_is_good(connection, request) if request else True
    except (OSError, TimeoutError):
        return False


def _target(
    checked: kubernetes.Probe, container: kubernetes.Container, ip: str
) -> tuple[int, bytes]:
    """The port and, for HTTP in plain text, what to send there."""
    if checked.http_get is not None:
        get = checked.http_get
        host = next(
            (header.value for header in get.http_headers if header.name.lower() == "host"),
            get.host or ip,
        )
        others = "".join(
            f"{h.name}: {h.value}\r\n" for h in get.http_headers if h.name.lower() != "host"
        )
        text = (
            f"GET {get.path or '/'} HTTP/1.1\r\nHost: {host}\r\n{others}User-Agent:"
            " kube-probe/1.32\r\nConnection: close\r\n\r\n"
        )
        return _number(get.port, container), text.encode() if get.scheme.upper() != "HTTPS" else b""
    if checked.tcp_socket is not None:
        return _number(checked.tcp_socket.port, container), b""
    return (checked.grpc.port, b"") if checked.grpc is not None else (0, b"")


def _number(port: int | str, container: kubernetes.Container) -> int:
    given = number(port) if isinstance(port, str) else port
    if given is not None:
        return given
    return next((named.container_port for named in container.ports if named.name == port), 0)


async def _connect(ip: str, port: int, space: PodSpace | None, home: int) -> socket.socket:
    if space is None:
        connection = socket.socket()
    else:
        with network_of(space, home):
            connection = socket.socket()
    connection.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(connection, (ip, port))
    except BaseException:
        connection.close()
        raise
    return connection


async def _status_is_good(connection: socket.socket, request: bytes) -> bool:
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(connection, request)
    answer = b""
    while b"\r\n" not in answer:
        data = await loop.sock_recv(connection, 4096)
        if not data:
            return False
        answer += data
    words = answer.split(None, 2)
    return len(words) > 1 and words[1].isdigit() and 200 <= int(words[1]) < 400
