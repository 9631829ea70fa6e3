"""nftables as values: matches and actions that make a rule, rules that make chains, chains that
replace a table at once."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network

from msgspec import Struct

from varka.local.system.netlink import (
    NLM_F_ACK,
    NLM_F_APPEND,
    NLM_F_CREATE,
    Netlink,
    Request,
    attribute,
    nested,
    text,
)

_NETLINK_NETFILTER = 12
_SUBSYSTEM = 10 << 8
_NEWTABLE, _DELTABLE, _NEWCHAIN, _NEWRULE = (_SUBSYSTEM | n for n in (0, 2, 3, 6))
_BATCH_BEGIN, _BATCH_END = 0x10, 0x11
_REGISTER = 1
_JUMP, _RETURN, _ACCEPT = -3, -5, 1
_META_MARK, _META_OIFNAME, _META_L4PROTO = 3, 7, 16
_EQ, _NEQ = 0, 1
_NETWORK_HEADER, _TRANSPORT_HEADER = 1, 2

Expression = bytes
"""Encoded (`include/uapi/linux/netfilter/nf_tables.h` has the numbers of all attributes)."""
Rule = Sequence[Expression]


class Hook(Struct, frozen=True):
    """Where a base chain sits: netfilter's hook number, its priority, the chain's type."""

    number: int
    priority: int
    type: str = "nat"


PREROUTING, INPUT, FORWARD, OUTPUT, POSTROUTING = range(5)


class Chain(Struct, frozen=True):
    """`hook` is None for a chain that others jump to."""

    name: str
    rules: Sequence[Rule]
    hook: Hook | None = None


_TABLE_NAME = 1
_CHAIN_TABLE, _CHAIN_NAME, _CHAIN_HOOK, _CHAIN_TYPE = 1, 3, 4, 7
_HOOK_NUMBER, _HOOK_PRIORITY = 1, 2
_RULE_TABLE, _RULE_CHAIN, _RULE_EXPRESSIONS, _LIST_ELEMENT = 1, 2, 4, 1
_EXPRESSION_NAME, _EXPRESSION_DATA = 1, 2
_DATA_VALUE, _DATA_VERDICT, _VERDICT_CODE, _VERDICT_CHAIN = 1, 2, 1, 2


def _number(kind: int, value: int) -> bytes:
    """Numbers of netfilter are big-endian."""
    return attribute(kind, struct.pack("!i" if value < 0 else "!I", value))


def _value(kind: int, value: bytes) -> bytes:
    return nested(kind, [attribute(_DATA_VALUE, value)])


def _expression(name: str, *attributes: bytes) -> Expression:
    """One element of a rule's list of expressions."""
    data = [nested(_EXPRESSION_DATA, attributes)] if attributes else []
    return nested(_LIST_ELEMENT, [text(_EXPRESSION_NAME, name), *data])


def _compare(value: bytes, negate: bool = False) -> Expression:
    operator = _NEQ if negate else _EQ
    return _expression("cmp", _number(1, _REGISTER), _number(2, operator), _value(3, value))


def _payload(base: int, offset: int, length: int) -> Expression:
    numbers = enumerate((_REGISTER, base, offset, length), start=1)
    return _expression("payload", *(_number(kind, value) for kind, value in numbers))


def _meta(key: int) -> Expression:
    return _expression("meta", _number(1, _REGISTER), _number(2, key))


def _verdict(code: int, chain: str = "") -> Expression:
    target = [text(_VERDICT_CHAIN, chain)] if chain else []
    verdict = nested(_DATA_VERDICT, [_number(_VERDICT_CODE, code), *target])
    return _expression("immediate", _number(1, 0), nested(2, [verdict]))


def _load(value: bytes, register: int) -> Expression:
    return _expression("immediate", _number(1, register), _value(2, value))


def protocol(name: str) -> list[Expression]:
    """`tcp` or `udp`."""
    number = {"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP}[name]
    return [_meta(_META_L4PROTO), _compare(bytes([number]))]


def destination_port(port: int, *, negate: bool = False) -> list[Expression]:
    return [_payload(_TRANSPORT_HEADER, 2, 2), _compare(struct.pack("!H", port), negate)]


def _network(offset: int, network: str, negate: bool) -> list[Expression]:
    parsed = IPv4Network(network)
    if parsed.prefixlen == 0:
        return []
    masked = _expression(
        "bitwise",
        *(_number(kind, value) for kind, value in ((1, _REGISTER), (2, _REGISTER), (3, 4))),
        _value(4, parsed.netmask.packed),
        _value(5, bytes(4)),
    )
    mask = [] if parsed.prefixlen == 32 else [masked]
    return [
        _payload(_NETWORK_HEADER, offset, 4),
        *mask,
        _compare(parsed.network_address.packed, negate),
    ]


def source(network: str, *, negate: bool = False) -> list[Expression]:
    return _network(12, network, negate)


def destination(network: str, *, negate: bool = False) -> list[Expression]:
    return _network(16, network, negate)


def out_interface(name: str) -> list[Expression]:
    return [_meta(_META_OIFNAME), _compare(name.encode().ljust(16, b"\0"))]


def mark(value: int, *, negate: bool = False) -> list[Expression]:
    """The packet's mark: the SO_MARK of the socket that sent it."""
    return [_meta(_META_MARK), _compare(struct.pack("=I", value), negate)]


def one_in(count: int) -> list[Expression]:
    """True for one connection in `count`, by chance."""
    if count == 1:
        return []
    numbers = enumerate((_REGISTER, count, 1, 0), start=1)
    draw = _expression("numgen", *(_number(kind, value) for kind, value in numbers))
    return [draw, _compare(bytes(4))]


def jump(chain: str) -> list[Expression]:
    return [_verdict(_JUMP, chain)]


def leave() -> list[Expression]:
    return [_verdict(_RETURN)]


def accept() -> list[Expression]:
    return [_verdict(_ACCEPT)]


def redirect(port: int) -> list[Expression]:
    """To `port` of this very namespace."""
    return [_load(struct.pack("!H", port), _REGISTER), _expression("redir", _number(1, _REGISTER))]


def dnat(address: str, port: int) -> list[Expression]:
    numbers = ((1, 1), (2, socket.AF_INET), (3, 1), (5, 2))
    return [
        _load(IPv4Address(address).packed, 1),
        _load(struct.pack("!H", port), 2),
        _expression("nat", *(_number(kind, value) for kind, value in numbers)),
    ]


def masquerade() -> list[Expression]:
    return [_expression("masq")]


def reject() -> list[Expression]:
    """Answer with ICMP port unreachable: the caller sees a refused connection."""
    return [_expression("reject", _number(1, 0), attribute(2, b"\3"))]


def replace_table(name: str, chains: Sequence[Chain]) -> None:
    """Make the IPv4 table `name` of the current network namespace consist of `chains`, in one
    transaction. Raises OSError."""
    send(replacement(name, chains))


def send(requests: Sequence[Request]) -> None:
    """Hand a transaction to the current network namespace. Raises OSError."""
    with Netlink(_NETLINK_NETFILTER) as netfilter:
        netfilter.send(requests)


def replacement(name: str, chains: Sequence[Chain]) -> list[Request]:
    """The transaction after which the table `name` consists of `chains`."""
    table = [text(_TABLE_NAME, name)]
    return [
        _batch(_BATCH_BEGIN),
        _command(f"table {name}", _NEWTABLE, table),
        _command(f"table {name}", _DELTABLE, table),
        _command(f"table {name}", _NEWTABLE, table),
        *(_command(f"chain {chain.name}", _NEWCHAIN, _chain(name, chain)) for chain in chains),
        *(
            _command(
                f"rule {number} of chain {chain.name}",
                _NEWRULE,
                _rule(name, chain.name, rule),
                NLM_F_APPEND,
            )
            for chain in chains
            for number, rule in enumerate(chain.rules, start=1)
        ),
        _batch(_BATCH_END),
    ]


def _chain(table: str, chain: Chain) -> Iterable[bytes]:
    yield text(_CHAIN_TABLE, table)
    yield text(_CHAIN_NAME, chain.name)
    if chain.hook is not None:
        hook = (
            _number(_HOOK_NUMBER, chain.hook.number),
            _number(_HOOK_PRIORITY, chain.hook.priority),
        )
        yield nested(_CHAIN_HOOK, hook)
        yield text(_CHAIN_TYPE, chain.hook.type)


def _rule(table: str, chain: str, rule: Rule) -> Iterable[bytes]:
    yield text(_RULE_TABLE, table)
    yield text(_RULE_CHAIN, chain)
    yield nested(_RULE_EXPRESSIONS, rule)


def _command(what: str, kind: int, attributes: Iterable[bytes], flags: int = 0) -> Request:
    family = struct.pack("!BBH", socket.AF_INET, 0, 0)
    return Request(what, kind, NLM_F_ACK | NLM_F_CREATE | flags, family + b"".join(attributes))


def _batch(kind: int) -> Request:
    return Request("batch", kind, 0, struct.pack("!BBH", 0, 0, _SUBSYSTEM >> 8))
