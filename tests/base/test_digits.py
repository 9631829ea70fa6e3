"""Numbers in text."""

from __future__ import annotations

import pytest

from varka.base.digits import number
from varka.resources.load import load

LONG = "9" * 5000


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("8080", 8080), ("007", 7)])
def test_digits_are_a_number(text: str, value: int) -> None:
    assert number(text) == value


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", "²", "٣", "1_0", " 1", LONG])
def test_all_else_is_none(text: str) -> None:
    assert number(text) is None


@pytest.mark.parametrize("odd", ["²", LONG])
@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        (
            "networking.istio.io/v1, kind: Sidecar",
            "{ingress: [{port: {number: 80, protocol: HTTP, name: a}, "
            'defaultEndpoint: "127.0.0.1:%s"}]}',
        ),
        (
            "security.istio.io/v1, kind: PeerAuthentication",
            '{selector: {matchLabels: {a: b}}, portLevelMtls: {? "%s" : {mode: STRICT}}}',
        ),
        (
            "security.istio.io/v1, kind: AuthorizationPolicy",
            '{rules: [{to: [{operation: {ports: ["%s"]}}]}]}',
        ),
    ],
)
def test_odd_digits_are_a_mistake_with_a_place(kind: str, spec: str, odd: str) -> None:
    text = f"{{apiVersion: {kind}, metadata: {{name: x}}, spec: {spec % odd}}}"
    loaded = load([("x.yaml", text)])
    assert not loaded.resources
    (said,) = (d for d in loaded.diagnostics if d.severity == "error")
    assert "invalid literal" not in said.message
    assert said.code != "V0012"
    assert said.path
