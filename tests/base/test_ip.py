"""Addresses are told from names as `ipaddress` tells them."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from varka.base.ip import is_ip


@given(
    st.one_of(
        st.ip_addresses().map(str),
        st.text("0123456789abcdef.:%/ x", max_size=20),
        st.text(max_size=8),
    )
)
@example("fe80::1%eth0")
@example("fe80::1%")
@example("1.2.3.4%eth0")
@example("01.2.3.4")
@example("::ffff:1.2.3.4")
@example("1.2.3.4\0")
@example("")
def test_addresses_are_what_the_standard_library_takes(text: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        assert not is_ip(text)
    else:
        assert is_ip(text)


@pytest.mark.parametrize("text", ["a.example.com", "*", "10.0.0.0/8", "[::1]", "1.2.3.4:80"])
def test_what_is_no_address(text: str) -> None:
    assert not is_ip(text)
