"""The few facts of an X.509 certificate that a table of secrets shows, read from its DER."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from datetime import UTC, datetime

from msgspec import Struct

_BOOLEAN, _UTC_TIME, _URI = 0x01, 0x17, 0x86
_EXTENSIONS, _VERSION = 0xA3, 0xA0
_ALTERNATIVE_NAMES, _BASIC_CONSTRAINTS = b"\x55\x1d\x11", b"\x55\x1d\x13"


class Certificate(Struct, frozen=True):
    """What is read of a certificate. `authority`: it may sign others; `uris`: its alternative names
    that are URIs."""

    serial: int
    not_before: datetime
    not_after: datetime
    authority: bool
    uris: tuple[str, ...]

    @property
    def trust_domain(self) -> str:
        """The trust domain of the certificate's SPIFFE identity; empty without one."""
        domains = [
            uri.removeprefix("spiffe://").partition("/")[0]
            for uri in self.uris
            if uri.startswith("spiffe://")
        ]
        return domains[-1] if domains else ""


def parse_pem(text: str) -> Certificate:
    """The first certificate of a PEM text. Raises ValueError."""
    _, begin, rest = text.partition("-----BEGIN CERTIFICATE-----")
    body, end, _ = rest.partition("-----END CERTIFICATE-----")
    if not (begin and end):
        raise ValueError("no certificate in PEM")
    try:
        return _parse(base64.b64decode("".join(body.split()), validate=True))
    except (IndexError, StopIteration, binascii.Error) as error:
        raise ValueError(f"not a certificate: {error}") from None


def _parse(der: bytes) -> Certificate:
    (_, certificate), *_ = _values(der)
    (_, signed), *_ = _values(certificate)
    fields = [value for value in _values(signed) if value[0] != _VERSION]
    validity = [_time(tag, value) for tag, value in _values(fields[3][1])]
    extensions = dict(
        _extensions(next((value for tag, value in fields if tag == _EXTENSIONS), b""))
    )
    names = extensions.get(_ALTERNATIVE_NAMES, b"")
    return Certificate(
        serial=int.from_bytes(fields[0][1]),
        not_before=validity[0],
        not_after=validity[1],
        authority=_is_authority(extensions.get(_BASIC_CONSTRAINTS, b"")),
        uris=tuple(
            value.decode("ascii", "replace")
            for _, part in _values(names)
            for tag, value in _values(part)
            if tag == _URI
        ),
    )


def _values(der: bytes) -> Iterator[tuple[int, bytes]]:
    """The tag and the contents of each DER value in a sequence of them."""
    at = 0
    while at < len(der):
        tag, size, at = der[at], der[at + 1], at + 2
        if size & 0x80:
            width = size & 0x7F
            size, at = int.from_bytes(der[at : at + width]), at + width
        yield tag, der[at : at + size]
        at += size


def _extensions(der: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The object identifier and the value of each extension."""
    for _, sequence in _values(der):
        for _, extension in _values(sequence):
            parts = list(_values(extension))
            yield parts[0][1], parts[-1][1]


def _is_authority(der: bytes) -> bool:
    return any(
        tag == _BOOLEAN and value != b"\0"
        for _, sequence in _values(der)
        for tag, value in _values(sequence)
    )


def _time(tag: int, value: bytes) -> datetime:
    """A UTCTime has two digits for the year: 50 to 99 are 1950 to 1999, 00 to 49 are 2000 to 2049
    (RFC 5280, 4.1.2.5.1)."""
    text = value.decode("ascii")
    if tag == _UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
