"""Istio's schemas: all mistakes at once."""

from typing import Any

import pytest

from varka.base.diagnostic import Severity
from varka.resources.cel import RULES
from varka.resources.kinds import istio_crds
from varka.resources.load import load
from varka.resources.schema import compile_schema


def found(kind: str, spec: str) -> dict[str, tuple[str, str]]:
    group = (
        "security.istio.io"
        if kind.endswith(("Policy", "Authentication"))
        else "networking.istio.io"
    )
    loaded = load(
        [("f", f"{{apiVersion: {group}/v1, kind: {kind}, metadata: {{name: a}}, spec: {spec}}}")]
    )
    return {d.path: (d.code, d.hint) for d in loaded.diagnostics if d.severity is Severity.ERROR}


def test_every_mistake_is_told() -> None:
    spec = (
        "{hosts: a, http: [{route: [{destination: {hots: x}}], timeout: 5, retries: {attempts:"
        " no}}], extra: 1}"
    )
    mistakes = found("VirtualService", spec)
    assert mistakes.keys() == {
        "spec.hosts",
        "spec.http[0].route[0].destination",
        "spec.http[0].route[0].destination.hots",
        "spec.http[0].timeout",
        "spec.http[0].retries.attempts",
        "spec.extra",
    }
    assert mistakes["spec.http[0].route[0].destination.hots"] == ("V0102", "did you mean 'host'?")


@pytest.mark.parametrize(
    ("kind", "spec", "path", "code"),
    [
        (
            "DestinationRule",
            "{host: a, trafficPolicy: {tls: {mode: SIMPEL}}}",
            "spec.trafficPolicy.tls.mode",
            "V0104",
        ),
        (
            "Gateway",
            "{servers: [{port: {number: 80}, hosts: [a.b]}]}",
            "spec.servers[0].port",
            "V0103",
        ),
        (
            "VirtualService",
            "{hosts: [a], http: [{match: [{uri: {exact: a, prefix: b}}]}]}",
            "spec.http[0].match[0].uri.prefix",
            "V0107",
        ),
        (
            "VirtualService",
            "{hosts: [a], http: [{timeout: 1us, route: [{destination: {host: a}}]}]}",
            "spec.http[0].timeout",
            "V0108",
        ),
        ("ServiceEntry", "{hosts: ['*']}", "spec.hosts[0]", "V0108"),
        ("ServiceEntry", "{hosts: []}", "spec.hosts", "V0106"),
        (
            "AuthorizationPolicy",
            "{action: ALLOW, rules: [{from: [{source: 1}]}]}",
            "spec.rules[0].from[0].source",
            "V0101",
        ),
        ("PeerAuthentication", "{portLevelMtls: {80: {mode: STRICT}}}", "spec", "V0108"),
    ],
)
def test_constraints(kind: str, spec: str, path: str, code: str) -> None:
    assert found(kind, spec)[path][0] == code


def test_fields_beside_spec() -> None:
    text = (
        "{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: a}, hosts:"
        " [a]}"
    )
    mistakes = {d.path: d.hint for d in load([("f", text)]).diagnostics}
    assert mistakes["hosts"] == "indent it below spec"


def test_nulls_and_snake_case_are_evened_out() -> None:
    spec = "{jwtRules: [{issuer: a, jwks_uri: 'https://a.b/c', jwks: null}]}"
    text = (
        "{apiVersion: security.istio.io/v1, kind: RequestAuthentication, metadata: {name: a},"
        f" spec: {spec}}}"
    )
    loaded = load([("f", text)])
    assert not loaded.diagnostics
    assert loaded.resources[0].spec.jwt_rules[0].jwks_uri == "https://a.b/c"


def test_free_form_values_are_kept() -> None:
    value = "{name: x, typed_config: {a_b: null, c: [1]}}"
    spec = (
        f"{{configPatches: [{{applyTo: HTTP_FILTER, patch: {{operation: ADD, value: {value}}}}}],"
        " priority: null}"
    )
    text = (
        "{apiVersion: networking.istio.io/v1alpha3, kind: EnvoyFilter, metadata: {name: a},"
        f" spec: {spec}}}"
    )
    resource: Any = load([("f", text)]).resources[0]
    assert resource.spec.config_patches[0].patch.value == {
        "name": "x",
        "typed_config": {"a_b": None, "c": [1]},
    }


def test_every_rule_of_the_schemas_is_known() -> None:
    for crd in istio_crds():
        compile_schema(crd["spec"])
    used = {rule for crd in istio_crds() for rule in _rules(crd["spec"])}
    assert used == set(RULES)


def _rules(schema: dict[str, Any]) -> set[str]:
    inner = [
        *schema.get("properties", {}).values(),
        *(schema[k] for k in ("items", "additionalProperties") if k in schema),
    ]
    return {rule for rule, _ in schema.get("rules", ())}.union(*(_rules(part) for part in inner))
