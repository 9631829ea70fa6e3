from __future__ import annotations

import pytest

from varka.registry.protocol import of_service_port, parse
from varka.registry.service import Protocol


@pytest.mark.parametrize(
    ("port", "name", "transport", "app", "expected"),
    [
        (80, "http", "TCP", None, Protocol.HTTP),
        (80, "http-web", "TCP", None, Protocol.HTTP),
        (80, "grpc-web-x", "TCP", None, Protocol.GRPC_WEB),
        (80, "GRPC", "TCP", None, Protocol.GRPC),
        (80, "web", "TCP", None, Protocol.AUTO),
        (3306, "db", "TCP", None, Protocol.TCP),
        (3306, "mysql", "TCP", None, Protocol.MYSQL),
        (80, "tcp", "TCP", "http", Protocol.HTTP),
        (80, "tcp", "TCP", "kubernetes.io/h2c", Protocol.HTTP2),
        (80, "tcp", "TCP", "kubernetes.io/wss", Protocol.HTTPS),
        (53, "http", "UDP", "http", Protocol.UDP),
    ],
)
def test_the_application_protocol_beats_the_name_of_the_port(
    port: int, name: str, transport: str, app: str | None, expected: Protocol
) -> None:
    assert of_service_port(port, name, transport, app) is expected


def test_service_entries_name_protocols_in_any_case() -> None:
    assert [parse(p) for p in ("HTTPS", "grpc-web", "Mongo", "nonsense")] == [
        Protocol.HTTPS,
        Protocol.GRPC_WEB,
        Protocol.MONGO,
        Protocol.AUTO,
    ]
