from __future__ import annotations

from itertools import pairwise

import pytest

from varka.base.names import Namespace
from varka.mesh.hosts import is_within, more_specific, most_specific, overlaps, resolve


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("a", "a.ns.svc.cluster.local"),
        ("a.b", "a.b"),
        ("*", "*"),
        ("*.com", "*.com"),
        ("1.2.3.4", "1.2.3.4"),
        ("fd00::1", "fd00::1"),
    ],
)
def test_a_name_without_dots_is_a_service_beside_the_rule(host: str, expected: str) -> None:
    assert resolve(host, Namespace("ns"), "cluster.local") == expected


@pytest.mark.parametrize(
    ("one", "other", "within", "overlap"),
    [
        ("a.com", "a.com", True, True),
        ("a.com", "*.com", True, True),
        ("*.com", "a.com", False, True),
        ("*.a.com", "*.com", True, True),
        ("*.com", "*.a.com", False, True),
        ("*.com", "*.org", False, False),
        ("a.com", "*", True, True),
    ],
)
def test_wildcards(one: str, other: str, within: bool, overlap: bool) -> None:
    assert (is_within(one, other), overlaps(one, other)) == (within, overlap)


def test_exact_names_before_long_wildcards_before_short_ones() -> None:
    hosts = ["*", "*.com", "*.a.com", "x.a.com"]
    assert all(more_specific(b, a) and not more_specific(a, b) for a, b in pairwise(hosts))


def test_the_longest_wildcard_around_a_name() -> None:
    wildcards = {"*": 0, "*.com": 1, "*.a.com": 2}
    assert most_specific("x.a.com", {"x.a.com": 3}, wildcards) == 3
    assert most_specific("y.a.com", {}, wildcards) == 2
    assert most_specific("*.b.com", {}, wildcards) == 1
    assert most_specific("x", {}, {"*.com": 1}) is None
