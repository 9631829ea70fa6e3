"""Connecting: resolve, TCP, TLS, and why one of them failed."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import ssl
import tempfile
import warnings
from collections.abc import Sequence
from contextlib import suppress

from varka.local.client.request import TLS_SCHEMES, Failed, Protocol, Target, Tls

_MEMORY = "/dev/shm"
VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}
_CURVES = {"P-256": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1"}
"""OpenSSL's names for those of the standard."""


class NoAnswer(Exception):
    """There is no answer, and `why` names the reason; `unhandled` when the peer cannot have acted
    on the request."""

    def __init__(self, why: Failed, detail: str = "", *, unhandled: bool = False) -> None:
        super().__init__(detail or str(why))
        self.why, self.unhandled = why, unhandled


class Connection:
    """One TCP or TLS connection; a peer that goes away is NoAnswer(RESET)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._silent = True

    async def send(self, data: bytes) -> None:
        self._silent = True
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError as error:
            raise self.lost(str(error)) from None

    async def receive(self) -> bytes:
        """Some bytes; none at the end of the stream."""
        try:
            data = await self._reader.read(1 << 16)
        except OSError as error:
            raise self.lost(str(error)) from None
        self._silent = self._silent and not data
        return data

    def lost(self, detail: str) -> NoAnswer:
        """What to raise when the peer closed too early."""
        return NoAnswer(Failed.RESET, detail, unhandled=self._silent)

    def close(self) -> None:
        self._writer.close()

    def abort(self) -> None:
        self._writer.transport.abort()


def tls_context(tls: Tls, protocol: Protocol) -> ssl.SSLContext:
    """Raises ssl.SSLError or ValueError when a PEM text is none, or OpenSSL knows no such version,
    cipher or curve."""
    context = ssl.create_default_context(cadata=tls.ca or None)
    if tls.certificate:
        # OpenSSL's loader only takes file names; this one is in memory.
        with tempfile.NamedTemporaryFile(
            "w", suffix=".pem", dir=_MEMORY if os.path.isdir(_MEMORY) else None
        ) as pem:
            pem.write(f"{tls.certificate}\n{tls.key}\n")
            pem.flush()
            context.load_cert_chain(pem.name)
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    _offer(context, tls)
    if protocol is not Protocol.TCP:
        context.set_alpn_protocols(
            ["h2"] if protocol in (Protocol.HTTP2, Protocol.GRPC) else ["http/1.1"]
        )
    return context


def _offer(context: ssl.SSLContext, tls: Tls) -> None:
    ciphers = tls.ciphers
    if tls.version:
        if tls.version not in VERSIONS:
            raise ValueError(f"TLS {tls.version} is none of {', '.join(VERSIONS)}")
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            context.minimum_version = context.maximum_version = VERSIONS[tls.version]
        if tls.version in ("1.0", "1.1"):
            # OpenSSL keeps to 1.2 and newer unless told that security does not matter.
            ciphers = f"{ciphers or 'DEFAULT'}:@SECLEVEL=0"
    if ciphers:
        context.set_ciphers(ciphers)
    if tls.curve:
        context.set_ecdh_curve(_CURVES.get(tls.curve, tls.curve))


async def connect(
    target: Target, resolve: Sequence[str], context: ssl.SSLContext | None, sni: str
) -> Connection:
    """Try each address in turn. Raises NoAnswer."""
    last: OSError | None = None
    for address in await _addresses(target, resolve):
        try:
            reader, writer = await asyncio.open_connection(*address)
        except OSError as error:
            last = error
            continue
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if target.scheme in TLS_SCHEMES and context is not None:
            await _start_tls(writer, context, sni or target.host)
        return Connection(reader, writer)
    raise NoAnswer(Failed.CONNECT, str(last))


async def _start_tls(writer: asyncio.StreamWriter, context: ssl.SSLContext, name: str) -> None:
    try:
        await writer.start_tls(context, server_hostname=name)
    except (OSError, ValueError, EOFError) as error:
        writer.transport.abort()
        raise NoAnswer(Failed.TLS, str(error)) from None


async def _addresses(target: Target, resolve: Sequence[str]) -> list[tuple[str, int]]:
    for entry in resolve:
        host, port, address = entry.split(":", 2)
        if host in (target.host, "*") and port == str(target.port):
            return [(address.strip("[]"), target.port)]
    with suppress(ValueError):
        return [(str(ipaddress.ip_address(target.host)), target.port)]
    try:
        resolved = await asyncio.get_running_loop().getaddrinfo(
            target.host, target.port, type=socket.SOCK_STREAM
        )
    except (OSError, UnicodeError) as error:
        raise NoAnswer(Failed.DNS, str(error)) from None
    return [(str(address[0]), target.port) for *_, address in resolved]
