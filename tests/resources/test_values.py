"""Checks of single values."""

import pytest
from tests.resources.checks import found

from varka.resources.validate.attributes import _path
from varka.resources.validate.headers import header_value
from varka.resources.validate.locality import overlap
from varka.resources.validate.re2 import regex
from varka.resources.validate.values import (
    fqdn,
    gateway_domain,
    ip_subnet,
    partial_wildcard,
    wildcard_domain,
)


@pytest.mark.parametrize("text", ["a", "a.b.", "*", "*.a", "*-a.b", "A1.b"])
def test_good_wildcard_domains(text: str) -> None:
    assert wildcard_domain(text) == ""


@pytest.mark.parametrize(
    "text", ["", "a.*", "*.*", "a_b", "a..b", "a.1", "x" * 64, "a." * 200, "-a"]
)
def test_bad_wildcard_domains(text: str) -> None:
    assert wildcard_domain(text)


def test_wildcards_have_their_places() -> None:
    assert fqdn("*.a")
    assert partial_wildcard("*a.b")
    assert not partial_wildcard("*")
    assert gateway_domain("outbound_.80_._.a.b", sni=True) == ""
    assert gateway_domain("outbound_.80_._.a.b", sni=False)


@pytest.mark.parametrize(
    ("text", "good"),
    [("1.2.3.4", True), ("1.2.3.4/8", True), ("::1/64", True), ("1.2.3.4/33", False), ("a", False)],
)
def test_subnets(text: str, good: bool) -> None:
    assert (ip_subnet(text) == "") is good


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("", True),
        ("100%%", True),
        ("%HOSTNAME% x", True),
        ('%DYNAMIC_METADATA(["a", "b"])%', True),
        ("%REQ(x?y):10%", False),
        ("%START_TIME(%s)%", True),
        ("abc%123", False),
        ("50%", False),
        ("a\nb", False),
    ],
)
def test_header_values(text: str, good: bool) -> None:
    assert (header_value(text) == "") is good


@pytest.mark.parametrize(
    "text", ["", "/v[0-9]+", "[[:alpha:]]+", r"\pL", "(?i)a", "(?P<a>b)", "[*+]+", r"\Q(\E", "a+?"]
)
def test_re2(text: str) -> None:
    assert regex(text) == ""


@pytest.mark.parametrize(
    "text", ["(", "a**", "a++", "(?=a)", "(?<!a)", r"(a)\1", "a{1001}", "*", "x" * 1025]
)
def test_not_re2(text: str) -> None:
    assert regex(text)


@pytest.mark.parametrize(
    ("localities", "good"),
    [
        (["a/b/c", "a/b/d"], True),
        (["a", "b/*"], True),
        (["*", "a"], False),
        (["a/*", "a/b"], False),
        (["a*/b"], False),
        (["a//b"], False),
    ],
)
def test_localities(localities: list[str], good: bool) -> None:
    assert (overlap(localities) == "") is good


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("/a/{*}/b", True),
        ("/a/{**}", True),
        ("/{**}/{*}", False),
        ("/a{*}", False),
        ("/a/{b}", False),
        ("/*", True),
    ],
)
def test_path_templates(text: str, good: bool) -> None:
    assert (_path(text) == "") is good


def test_a_policy_takes_blocks_with_a_length_only() -> None:
    """A netmask in place of the length is no CIDR block for Go."""
    rule = "{rules: [{from: [{source: {ipBlocks: ['10.0.0.0/%s']}}]}]}"
    assert not found("AuthorizationPolicy", rule % "8")
    ((severity, _, path),) = found("AuthorizationPolicy", rule % "255.0.0.0")
    assert (severity, path) == ("error", "spec.rules[0].from[0].source.ipBlocks[0]")
