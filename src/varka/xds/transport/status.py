"""gRPC's status codes and how they travel (PROTOCOL-HTTP2 of gRPC)."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    UNAUTHENTICATED = 16


class CallError(Exception):
    """Raised by a unary method: the call ends with this status."""

    def __init__(self, status: Status, message: str = "") -> None:
        super().__init__(message)
        self.status = status


_UNITS = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}


def timeout_of(value: bytes) -> float | None:
    """Seconds of a `grpc-timeout` header; None when it is malformed: up to eight digits and a
    unit."""
    digits, unit = value[:-1], value[-1:]
    if unit not in _UNITS or not digits.isdigit() or len(digits) > 8:
        return None
    return int(digits) * _UNITS[unit]


def percent_encoded(message: str) -> bytes:
    """`grpc-message`: UTF-8, all but printable ASCII (and `%`) as `%XX`."""
    return b"".join(
        bytes((byte,)) if 0x20 <= byte <= 0x7E and byte != 0x25 else b"%%%02X" % byte
        for byte in message.encode()
    )
