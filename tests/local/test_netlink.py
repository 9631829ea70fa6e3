"""Messages to the kernel, and what it says of wrong ones."""

from __future__ import annotations

import subprocess
import sys

from varka.local.system import nft
from varka.local.system.netlink import NLM_F_ACK, Request, attribute, nested, text

PREPARE = """
from varka.local.system import kernel, nft
from varka.local.system.links import Links
kernel.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWNET)
"""


def test_attributes_are_padded_and_count_their_own_bytes() -> None:
    assert attribute(1, b"abcde") == b"\x09\x00\x01\x00abcde\0\0\0"
    assert text(3, "lo") == b"\x07\x00\x03\x00lo\0\0"
    assert nested(2, [text(3, "lo")]) == b"\x0c\x00\x02\x80" + text(3, "lo")
    assert Request("x", 16, NLM_F_ACK, b"1234").encoded(7) == (
        b"\x14\0\0\0\x10\0\x05\0\x07\0\0\0\0\0\0\0" + b"1234"
    )


def test_a_rule_is_what_another_encoder_makes_of_it() -> None:
    """The bytes are those of pyroute2 0.9, with the flag that marks nested attributes."""
    (rule,) = (
        request
        for request in nft.replacement("t", [nft.Chain("c", [nft.redirect(15001)])])
        if request.what == "rule 1 of chain c"
    )
    assert rule.body.hex() == (
        "02000000060001007400000006000200630000004c000480"
        "2c0001800e000100696d6d6564696174650000001800028008000100000000010c000280060001003a990000"
        "1c0001800a00010072656469720000000c0002800800010000000001"
    )


def run(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PREPARE + script], capture_output=True, text=True, timeout=30
    )
    return done.stdout + done.stderr


def test_the_kernel_takes_a_table_again_and_again() -> None:
    assert (
        run("""
for port in (1, 2):
    rules = [nft.dnat("10.0.0.1", port), [*nft.one_in(3), *nft.masquerade()], [*nft.reject()]]
    nft.replace_table("t", [nft.Chain("c", rules[:1]), nft.Chain("d", rules[2:])])
    hook = nft.Hook(nft.POSTROUTING, 100)
    nft.replace_table("u", [nft.Chain("c", [rules[1]], hook)])
print("good")
""")
        == "good\n"
    )


def test_what_the_kernel_refuses_is_named() -> None:
    assert "OSError: [Errno 19] link nowhere up: No such device" in run(
        'with Links() as links:\n    links.up("nowhere")'
    )
    assert "rule 2 of chain c: No such file or directory" in run(
        'nft.replace_table("t", [nft.Chain("c", [nft.accept(), nft.jump("missing")])])'
    )
