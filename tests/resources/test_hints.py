"""Who writes what a hint says has an object that is accepted."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from tests.properties.extremes import EXAMPLES

from varka.resources.findings import parsed_path
from varka.resources.load import load
from varka.resources.scalars import resolve_plain

_HINT = re.compile(r'write (?:"(?P<quoted>.*)" with quotes|(?P<plain>\S+))')
Plain = dict[str, Any]

WITH_DURATIONS: tuple[Plain, ...] = (
    {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "x"},
        "spec": {
            "hosts": ["a"],
            "http": [
                {
                    "timeout": "5s",
                    "retries": {"attempts": 1, "perTryTimeout": "1s"},
                    "fault": {"delay": {"fixedDelay": "1s", "percentage": {"value": 1}}},
                    "corsPolicy": {"allowOrigins": [{"exact": "a"}], "maxAge": "24h"},
                    "route": [{"destination": {"host": "a"}}],
                }
            ],
        },
    },
    {
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": {"name": "x"},
        "spec": {
            "host": "a",
            "trafficPolicy": {
                "connectionPool": {
                    "tcp": {
                        "connectTimeout": "1s",
                        "idleTimeout": "1h",
                        "maxConnectionDuration": "1h",
                        "tcpKeepalive": {"time": "1h", "interval": "1m"},
                    },
                    "http": {"idleTimeout": "1h"},
                },
                "outlierDetection": {"interval": "1s", "baseEjectionTime": "1m"},
                "loadBalancer": {
                    "consistentHash": {"httpCookie": {"name": "a", "ttl": "0s"}},
                    "warmup": {"duration": "1m"},
                },
            },
        },
    },
)


def leaves(value: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key) of each text inside a value."""
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, item in items:
        if isinstance(item, str):
            yield value, key
        else:
            yield from leaves(item)


def broken() -> Iterator[Plain]:
    """Objects with a number or a boolean in place of a text, wherever there is one."""
    for example in (*EXAMPLES, *WITH_DURATIONS):
        for at, _ in enumerate(leaves(example)):
            for odd in (5, -1, 0, 2**63, 1.5, 1e300, True, False):
                changed = copy.deepcopy(example)
                container, key = list(leaves(changed))[at]
                container[key] = odd
                yield changed


def put(value: Any, path: str, item: Any) -> None:
    *steps, last = parsed_path(path)
    for step in steps:
        value = value[step]
    value[last] = item


def test_every_hint_mends() -> None:
    tried: Counter[bool] = Counter()
    for example in broken():
        for found in load([("x.yaml", json.dumps(example))]).diagnostics:
            if match := _HINT.fullmatch(found.hint):
                text = match["quoted"]
                mended = copy.deepcopy(example)
                put(mended, found.path, resolve_plain(match["plain"]) if text is None else text)
                again = load([("x.yaml", json.dumps(mended))])
                assert again.resources, (example, found, again.diagnostics)
                tried[text is None] += 1
    assert min(tried[True], tried[False]) >= 30, tried


VIRTUAL_SERVICE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: %s}
spec: {hosts: [%s], http: [{timeout: %s, route: [{destination: {host: a}}]}]}
"""


@pytest.mark.parametrize(
    ("name", "host", "timeout", "hints"),
    [
        ("x", "a", "5", ["write 5s"]),
        ("x", "5", "5", ['write "5" with quotes', "write 5s"]),
        ("x", "-5", "5", []),
        ("x", "a", "-5", []),
        ("x", "a", "true", []),
        ("7", "a", "5s", ['write "7" with quotes']),
        ("-7", "a", "5s", []),
    ],
)
def test_hints_are_tried_together(name: str, host: str, timeout: str, hints: list[str]) -> None:
    loaded = load([("x.yaml", VIRTUAL_SERVICE % (name, host, timeout))])
    assert not loaded.resources
    assert [d.hint for d in loaded.diagnostics if d.hint.startswith("write")] == hints


@pytest.mark.parametrize("word", ["off", "yes", "n"])
def test_a_name_that_is_a_boolean_is_not_missing(word: str) -> None:
    (said,) = load([("x.yaml", VIRTUAL_SERVICE % (word, "a", "5s"))]).diagnostics
    assert "must be a string" in said.message
    assert "booleans" in said.message
