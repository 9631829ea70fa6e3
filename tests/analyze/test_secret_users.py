"""Who asks for a Secret is named where it is missing."""

from __future__ import annotations

from varka.analyze.secret_users import name_users
from varka.base.diagnostic import Diagnostic, Severity
from varka.base.names import ObjectKey
from varka.resources.load import load
from varka.store.state import State

MESH = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: g}
spec:
  selector: {app: gateway}
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
    hosts: ["*"]
  - port: {number: 443, name: https, protocol: HTTPS}
    hosts: ["*"]
    tls: {mode: SIMPLE, credentialName: cert}
---
apiVersion: v1
kind: Secret
metadata: {name: there, namespace: istio-system}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: d}
spec:
  host: a
  trafficPolicy: {tls: {mode: SIMPLE, credentialName: there, sni: cert}}
"""


def problem(name: str, message: str) -> Diagnostic:
    key = ObjectKey("", "Secret", "istio-system", name)
    return Diagnostic("V6003", Severity.ERROR, message, object=key)


def test_who_asks_is_named() -> None:
    loaded = load([("f.yaml", MESH)])
    state = State().updated((r, loaded.places[r.key]) for r in loaded.resources)
    unasked, other = problem("x", "x"), Diagnostic("V1", Severity.ERROR, "other")
    missing, broken = problem("cert", "it is not there"), problem("there", "it lacks a key")
    found = list(name_users((unasked, other, missing, broken), state))
    assert found[:2] == [unasked, other]
    assert (str(found[2].object), found[2].path, found[2].message) == (
        "Gateway default/g",
        "spec.servers[1].tls.credentialName",
        "it is not there",
    )
    assert (str(found[3].object), found[3].message) == (
        "Secret istio-system/there",
        "it lacks a key (asked for by DestinationRule default/d)",
    )
    assert len(found) == 4
