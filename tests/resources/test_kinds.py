"""Kinds by all their names."""

import pytest

from varka.resources import kinds


@pytest.mark.parametrize(
    ("word", "group", "name"),
    [
        ("vs", "networking.istio.io", "VirtualService"),
        ("VirtualServices", "networking.istio.io", "VirtualService"),
        ("virtualservices.networking.istio.io", "networking.istio.io", "VirtualService"),
        ("virtualservices.v1beta1.networking.istio.io", "networking.istio.io", "VirtualService"),
        ("gateway", "networking.istio.io", "Gateway"),
        ("gateways.gateway.networking.k8s.io", "gateway.networking.k8s.io", "Gateway"),
        ("po", "", "Pod"),
        ("deploy", "apps", "Deployment"),
        ("endpointslice", "discovery.k8s.io", "EndpointSlice"),
    ],
)
def test_find(word: str, group: str, name: str) -> None:
    kind = kinds.find(word)
    assert kind is not None
    assert (kind.group, kind.name) == (group, name)


def test_unknown_words_have_suggestions() -> None:
    assert kinds.find("virtualservise") is None
    assert kinds.suggest("virtualservise") == "virtualservice"


def test_every_typed_kind_has_its_model() -> None:
    typed = [kind for kind in kinds.all_kinds() if kind.model]
    assert len(typed) == 15 + 17
    assert all(kind.model_class() is not None for kind in typed)


@pytest.mark.parametrize(
    ("group", "name", "likely"),
    [
        (
            "networking.istio.io",
            "VirtualServices",
            "apiVersion: networking.istio.io/v1, kind: VirtualService",
        ),
        (
            "networking.istio.io",
            "PeerAuthentication",
            "apiVersion: security.istio.io/v1, kind: PeerAuthentication",
        ),
        ("", "Deployment", "apiVersion: apps/v1, kind: Deployment"),
    ],
)
def test_suggested_kinds(group: str, name: str, likely: str) -> None:
    assert kinds.suggest_kind(group, name) == likely


@pytest.mark.parametrize(
    ("group", "foreign"),
    [
        ("example.com", True),
        ("", False),
        ("networking.istio.io", False),
        ("networking.istio.oi", False),
    ],
)
def test_foreign_groups(group: str, foreign: bool) -> None:
    assert kinds.is_foreign(group) is foreign
