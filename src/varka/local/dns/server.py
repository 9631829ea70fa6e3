"""The mesh's DNS server: what the mesh knows it answers itself, everything else the machine's
resolver answers."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import Callable
from contextlib import suppress

from dnslib import CNAME, QTYPE, RCODE, RR, A, DNSError, DNSRecord
from msgspec import Struct, field

from varka.local.dns.zone import Answer, Names, is_ours
from varka.local.network.addresses import HOST_ADDRESS

_TTL = 5
_PATIENCE = 2.5
_TCP_PATIENCE = 30.0
_A, _ANY = QTYPE.A, QTYPE.ANY
Reply = Callable[[bytes], None]


def hosts(text: str) -> dict[str, Answer]:
    """The names of a hosts file, as pods may use them: the machine's loopback is another address to
    them."""
    known: dict[str, Answer] = {}
    for line in text.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        if not names or ":" in address:
            continue
        seen_from_pod = HOST_ADDRESS if address.startswith("127.") else address
        known.update(
            (name.lower(), Answer((seen_from_pod,))) for name in names if name != "localhost"
        )
    return known


class _Pending(Struct):
    query: bytes
    reply: Reply
    timer: asyncio.TimerHandle
    server: int = 0


class DnsServer(Struct):
    """`names` may be replaced at any time; `has_sidecar` tells by address which pods know
    ServiceEntry addresses."""

    upstreams: list[socket.socket]
    machine_hosts: dict[str, Answer]
    has_sidecar: Callable[[str], bool]
    names: Names = field(default_factory=Names)
    _pending: dict[int, _Pending] = field(default_factory=dict)
    _next: int = 0

    async def start(self, address: str) -> None:
        """Listen on port 53 of `address`, UDP and TCP. Raises OSError."""
        loop = asyncio.get_running_loop()
        for number, upstream in enumerate(self.upstreams):
            loop.add_reader(upstream.fileno(), self.read_upstream, number)
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind((address, 53))
        await loop.create_datagram_endpoint(lambda: _Udp(self), sock=udp)
        await asyncio.start_server(self._serve_tcp, address, 53)

    def answer(self, query: bytes, client: str, reply: Reply) -> None:
        """Reply at once or when the machine's resolver has; never more than once."""
        try:
            record = DNSRecord.parse(query)
        except DNSError:
            return
        name = str(record.q.qname).rstrip(".").lower()
        sidecar = self.has_sidecar(client)
        known = self.names.lookup(name, sidecar=sidecar) or self.machine_hosts.get(name)
        if known is None and not is_ours(name):
            self._forward(query, reply)
        elif known is None:
            response = record.reply()
            response.header.rcode = RCODE.NXDOMAIN
            reply(response.pack())
        else:
            self._reply(record, known, sidecar, reply)

    def _reply(self, record: DNSRecord, known: Answer, sidecar: bool, reply: Reply) -> None:
        target = self.names.lookup(known.alias, sidecar=sidecar) if known.alias else known
        if target is None and not is_ours(known.alias):
            self._forward_alias(record, known.alias, reply)
        else:
            reply(_response(record, known.alias, target.addresses if target else ()).pack())

    def _forward_alias(self, record: DNSRecord, alias: str, reply: Reply) -> None:
        """Ask the machine for the name that ours stands for and answer both."""

        def with_alias(answer: bytes) -> None:
            try:
                theirs = DNSRecord.parse(answer)
            except DNSError:
                reply(_failure(record.pack()))
                return
            response = _response(record, alias, ())
            response.add_answer(*theirs.rr)
            response.header.rcode = theirs.header.rcode
            reply(response.pack())

        question = DNSRecord.question(alias, QTYPE[record.q.qtype])
        self._forward(question.pack(), with_alias)

    def _forward(self, query: bytes, reply: Reply) -> None:
        if not self.upstreams:
            reply(_failure(query))
            return
        self._next = (self._next + 1) & 0xFFFF
        number = self._next
        timer = asyncio.get_running_loop().call_later(_PATIENCE, self._late, number)
        self._pending[number] = _Pending(query, reply, timer)
        self._ask(number)

    def _ask(self, number: int) -> None:
        pending = self._pending[number]
        with suppress(OSError):  # unreachable now: the timer tries the next server
            self.upstreams[pending.server].send(struct.pack("!H", number) + pending.query[2:])

    def _late(self, number: int) -> None:
        pending = self._pending[number]
        pending.server += 1
        if pending.server < len(self.upstreams):
            pending.timer = asyncio.get_running_loop().call_later(_PATIENCE, self._late, number)
            self._ask(number)
        else:
            del self._pending[number]
            pending.reply(_failure(pending.query))

    def read_upstream(self, server: int) -> None:
        """Pass on an answer of one of the machine's resolvers, which has become readable."""
        try:
            data = self.upstreams[server].recv(65535)
        except OSError:
            return
        pending = (
            self._pending.pop(struct.unpack_from("!H", data)[0], None) if len(data) >= 12 else None
        )
        if pending is not None:
            pending.timer.cancel()
            pending.reply(pending.query[:2] + data[2:])

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = str(writer.get_extra_info("peername")[0])

        def reply(data: bytes) -> None:
            writer.write(struct.pack("!H", len(data)) + data)

        try:
            async with asyncio.timeout(_TCP_PATIENCE):
                while True:
                    (length,) = struct.unpack("!H", await reader.readexactly(2))
                    self.answer(await reader.readexactly(length), client, reply)
        except (asyncio.IncompleteReadError, TimeoutError, ConnectionError):
            pass
        finally:
            writer.close()


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._server.answer(data, addr[0], lambda answer: self._transport.sendto(answer, addr))


def _response(record: DNSRecord, alias: str, addresses: tuple[str, ...]) -> DNSRecord:
    response = record.reply()
    owner = record.q.qname
    if alias:
        response.add_answer(RR(owner, QTYPE.CNAME, rdata=CNAME(alias), ttl=_TTL))
        owner = alias
    if record.q.qtype in (_A, _ANY):
        # Clients take the first: as CoreDNS does, each gets another one.
        shuffled = random.sample(addresses, len(addresses))
        response.add_answer(
            *(RR(owner, QTYPE.A, rdata=A(address), ttl=_TTL) for address in shuffled)
        )
    return response


def _failure(query: bytes) -> bytes:
    response = DNSRecord.parse(query).reply()
    response.header.rcode = RCODE.SERVFAIL
    return bytes(response.pack())
