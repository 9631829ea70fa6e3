"""Manifests of many files: the same is said of them however they are shared out."""

import os
from collections.abc import Sequence

import pytest

from varka.analyze import manifests
from varka.analyze.manifests import Checked, check_manifests
from varka.base.diagnostic import Diagnostic
from varka.resources.codes import Code

FILTER = """
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: f}
spec:
  configPatches:
  - applyTo: CLUSTER
    patch: {operation: MERGE, value: {connect_timeout: soon}}
"""


def config(name: str, more: str = "") -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n{more}"


TEXTS = [
    ("a.yaml", config("a") + "---\n" + config("b")),
    ("b.yaml", config("c", "  namespace: other\n") + "---\n" + FILTER),
    (
        "c.yaml",
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap,"
        " metadata: {name: b}}\n",
    ),
    ("d.yaml", config("A_")),
    ("e.yaml", config("c", "  namespace: other\n") + "---\n" + config("c", "  namespace: other\n")),
    ("f.yaml", "a: ["),
]


def check(share: int, monkeypatch: pytest.MonkeyPatch) -> Checked:
    monkeypatch.setattr(manifests, "_SHARE", share)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(len(TEXTS))))
    return check_manifests(TEXTS, "default")


def lines(found: Sequence[Diagnostic]) -> list[str]:
    return [f"{d.origin} {d.code} {d.message}" for d in found]


def test_the_same_is_said_with_and_without_forks(monkeypatch: pytest.MonkeyPatch) -> None:
    forks = 0
    fork = os.fork

    def counted() -> int:
        nonlocal forks
        forks += 1
        return fork()

    monkeypatch.setattr(os, "fork", counted)
    together = check(10**9, monkeypatch)
    assert forks == 0
    assert check(1, monkeypatch) == together
    assert forks > 2


def test_of_objects_defined_twice_the_later_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = check(1, monkeypatch)
    twice = [d for d in checked.diagnostics if d.code == Code.DUPLICATE_OBJECT]
    assert [(str(d.origin), d.message.split(" was already defined at ")[1]) for d in twice] == [
        ("c.yaml:4:3", "a.yaml:6:1; this one replaces it"),
        ("e.yaml:1:1", "b.yaml:1:1; this one replaces it"),
        ("e.yaml:7:1", "e.yaml:1:1; this one replaces it"),
    ]
    assert (checked.good, checked.unplaced) == (3, 3)


def test_values_of_envoy_filters_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [d for d in check(10**9, monkeypatch).diagnostics if d.code == Code.EF_VALUE]
    assert [str(d.origin) for d in found] == ["b.yaml:14:39"]
