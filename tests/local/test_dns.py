"""The DNS server of a mesh, without sockets: whatever bytes come, it answers once or not at all."""

from __future__ import annotations

import asyncio
import socket

from dnslib import RCODE, DNSRecord
from hypothesis import example, given
from hypothesis import strategies as st

from varka.local.dns.server import DnsServer
from varka.local.dns.zone import Answer, Names

NAMES = Names({"web.default.svc.cluster.local": Answer(("10.96.0.7",))})
QUERY = bytes(DNSRecord.question("web.default.svc.cluster.local").pack())


def answers(query: bytes) -> list[bytes]:
    given_back: list[bytes] = []
    server = DnsServer([], {}, lambda _: True, NAMES)
    server.answer(query, "10.244.0.3", given_back.append)
    return given_back


def test_a_query_is_answered() -> None:
    (answer,) = answers(QUERY)
    assert str(DNSRecord.parse(answer).a.rdata) == "10.96.0.7"


@given(st.binary(max_size=80))
@example(b"")
@example(QUERY[:12])
def test_any_bytes(data: bytes) -> None:
    assert len(answers(data)) <= 1


@given(st.integers(0, len(QUERY) - 1), st.binary(min_size=1, max_size=4))
def test_broken_queries(place: int, put: bytes) -> None:
    assert len(answers(QUERY[:place] + put + QUERY[place + len(put) :])) <= 1
    assert len(answers(QUERY[:place])) <= 1


def test_a_resolver_that_answers_nonsense_is_a_failure_of_the_server() -> None:
    async def test() -> list[bytes]:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        names = Names({"web.default.svc.cluster.local": Answer(alias="example.test")})
        server = DnsServer([ours], {}, lambda _: True, names)
        replies: list[bytes] = []
        server.answer(QUERY, "10.244.0.3", replies.append)
        theirs.send(theirs.recv(512)[:2] + b"\xff" * 20)
        server.read_upstream(0)
        ours.close()
        theirs.close()
        return replies

    (reply,) = asyncio.run(test())
    assert DNSRecord.parse(reply).header.rcode == RCODE.SERVFAIL
