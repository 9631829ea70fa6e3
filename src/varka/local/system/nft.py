"""nftables as values: matches and actions that make a rule, rules that make chains, chains that
replace a table at once."""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from pyroute2.netlink.nfnetlink import nfgen_msg
from pyroute2.netlink.nfnetlink.nftsocket import nft_chain_msg, nft_rule_msg, nft_table_msg
from pyroute2.nftables.expressions import genex

from varka.local.system.netlink import NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE, Netlink, request

_NETLINK_NETFILTER = 12
_SUBSYSTEM = 10 << 8
_NEWTABLE, _DELTABLE, _NEWCHAIN, _NEWRULE = (_SUBSYSTEM | n for n in (0, 2, 3, 6))
_BATCH_BEGIN, _BATCH_END = 0x10, 0x11
_REGISTER = 1
_JUMP, _RETURN, _ACCEPT = -3, -5, 1
_META_MARK, _META_OIFNAME, _META_L4PROTO = 3, 7, 16
_EQ, _NEQ = 0, 1
_NETWORK_HEADER, _TRANSPORT_HEADER = 1, 2

Expression = Any
Rule = Sequence[Expression]


@dataclass(frozen=True, slots=True)
class Hook:
    """Where a base chain sits: netfilter's hook number, its priority, the chain's type."""

    number: int
    priority: int
    type: str = "nat"


PREROUTING, INPUT, FORWARD, OUTPUT, POSTROUTING = range(5)


@dataclass(frozen=True, slots=True)
class Chain:
    """`hook` is None for a chain that others jump to."""

    name: str
    rules: Sequence[Rule]
    hook: Hook | None = None


def _compare(value: bytes, negate: bool = False) -> Expression:
    return genex(
        "cmp",
        {
            "sreg": _REGISTER,
            "op": _NEQ if negate else _EQ,
            "data": {"attrs": [("NFTA_DATA_VALUE", value)]},
        },
    )


def _payload(base: int, offset: int, length: int) -> Expression:
    return genex("payload", {"dreg": _REGISTER, "base": base, "offset": offset, "len": length})


def _meta(key: int) -> Expression:
    return genex("meta", {"dreg": _REGISTER, "key": key})


def _verdict(code: int, chain: str = "") -> Expression:
    attributes: list[tuple[str, Any]] = [("NFTA_VERDICT_CODE", code)]
    if chain:
        attributes.append(("NFTA_VERDICT_CHAIN", chain))
    return genex(
        "immediate", {"dreg": 0, "data": {"attrs": [("NFTA_DATA_VERDICT", {"attrs": attributes})]}}
    )


def _load(value: bytes, register: int) -> Expression:
    return genex("immediate", {"dreg": register, "data": {"attrs": [("NFTA_DATA_VALUE", value)]}})


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
    masked = genex(
        "bitwise",
        {
            "sreg": _REGISTER,
            "dreg": _REGISTER,
            "len": 4,
            "mask": {"attrs": [("NFTA_DATA_VALUE", parsed.netmask.packed)]},
            "xor": {"attrs": [("NFTA_DATA_VALUE", bytes(4))]},
        },
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
    draw = [
        ("NFTA_NG_DREG", _REGISTER),
        ("NFTA_NG_MODULUS", count),
        ("NFTA_NG_TYPE", 1),
        ("NFTA_NG_OFFSET", 0),
    ]
    number = {"attrs": [("NFTA_EXPR_NAME", "numgen"), ("NFTA_EXPR_DATA", {"attrs": draw})]}
    return [number, _compare(bytes(4))]


def jump(chain: str) -> list[Expression]:
    return [_verdict(_JUMP, chain)]


def leave() -> list[Expression]:
    return [_verdict(_RETURN)]


def accept() -> list[Expression]:
    return [_verdict(_ACCEPT)]


def redirect(port: int) -> list[Expression]:
    """To `port` of this very namespace."""
    return [_load(struct.pack("!H", port), _REGISTER), genex("redir", {"reg_proto_min": _REGISTER})]


def dnat(address: str, port: int) -> list[Expression]:
    registers = {"type": 1, "family": socket.AF_INET, "reg_addr_min": 1, "reg_proto_min": 2}
    return [
        _load(IPv4Address(address).packed, 1),
        _load(struct.pack("!H", port), 2),
        genex("nat", registers),
    ]


def masquerade() -> list[Expression]:
    return [genex("masq", {})]


def reject() -> list[Expression]:
    """Answer with ICMP port unreachable: the caller sees a refused connection."""
    return [genex("reject", {"type": 0, "icmp_code": 3})]


def replace_table(name: str, chains: Sequence[Chain]) -> None:
    """Make the IPv4 table `name` of the current network namespace consist of `chains`, in one
    transaction. Raises OSError."""
    table = {"NFTA_TABLE_NAME": name}
    messages = [
        _command(nft_table_msg(), _NEWTABLE, table),
        _command(nft_table_msg(), _DELTABLE, table),
        _command(nft_table_msg(), _NEWTABLE, table),
        *(_command(nft_chain_msg(), _NEWCHAIN, _chain_attributes(name, chain)) for chain in chains),
        *(
            _command(
                nft_rule_msg(), _NEWRULE, _rule_attributes(name, chain.name, rule), NLM_F_APPEND
            )
            for chain in chains
            for rule in chain.rules
        ),
    ]
    with Netlink(_NETLINK_NETFILTER) as netfilter:
        netfilter.send([_batch(_BATCH_BEGIN), *messages, _batch(_BATCH_END)])


def _chain_attributes(table: str, chain: Chain) -> dict[str, Any]:
    attributes: dict[str, Any] = {"NFTA_CHAIN_TABLE": table, "NFTA_CHAIN_NAME": chain.name}
    if chain.hook is not None:
        hook = [
            ("NFTA_HOOK_HOOKNUM", chain.hook.number),
            ("NFTA_HOOK_PRIORITY", chain.hook.priority),
        ]
        attributes |= {"NFTA_CHAIN_HOOK": {"attrs": hook}, "NFTA_CHAIN_TYPE": chain.hook.type}
    return attributes


def _rule_attributes(table: str, chain: str, rule: Rule) -> dict[str, Any]:
    return {"NFTA_RULE_TABLE": table, "NFTA_RULE_CHAIN": chain, "NFTA_RULE_EXPRESSIONS": list(rule)}


def _command(message: Any, kind: int, attributes: Mapping[str, Any], flags: int = 0) -> Any:
    return request(
        message,
        kind,
        NLM_F_ACK | NLM_F_CREATE | flags,
        attributes.items(),
        nfgen_family=socket.AF_INET,
    )


def _batch(kind: int) -> Any:
    return request(nfgen_msg(), kind, 0, (), res_id=10)
