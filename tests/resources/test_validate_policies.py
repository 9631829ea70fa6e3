"""Security, telemetry, extensions, workloads, EnvoyFilter: what Istio's webhook says."""

import pytest
from tests.resources.checks import found

from varka.resources.load import load

E, W = "error", "warning"
KEYS = '\'{"keys": [{"kty": "RSA", "n": "x", "e": "AQAB"}]}\''


@pytest.mark.parametrize(
    ("kind", "spec", "expected"),
    [
        ("AuthorizationPolicy", "{}", set()),
        ("AuthorizationPolicy", "{action: DENY}", {(E, "V0821", "spec")}),
        ("AuthorizationPolicy", "{action: CUSTOM, rules: [{}]}", {(E, "V0821", "spec")}),
        ("AuthorizationPolicy", "{provider: {name: x}}", {(E, "V0821", "spec.provider")}),
        (
            "AuthorizationPolicy",
            "{rules: [{from: [{source: {}}]}]}",
            {(E, "V0822", "spec.rules[0].from[0].source")},
        ),
        (
            "AuthorizationPolicy",
            "{rules: [{from: [{source: {ipBlocks: [1.2.3.4/40]}}]}]}",
            {(E, "V0822", "spec.rules[0].from[0].source.ipBlocks[0]")},
        ),
        (
            "AuthorizationPolicy",
            "{rules: [{to: [{operation: {paths: ['/a/{**}/{*}'], ports: ['70000']}}]}]}",
            {
                (E, "V0823", "spec.rules[0].to[0].operation.paths[0]"),
                (E, "V0823", "spec.rules[0].to[0].operation.ports[0]"),
            },
        ),
        (
            "AuthorizationPolicy",
            "{rules: [{when: [{key: source.ip}]}]}",
            {(E, "V0824", "spec.rules[0].when[0]")},
        ),
        (
            "AuthorizationPolicy",
            "{rules: [{when: [{key: source.foo, values: [a]}]}]}",
            {(E, "V0824", "spec.rules[0].when[0].values")},
        ),
        (
            "AuthorizationPolicy",
            "{action: DENY, rules: [{to: [{operation: {methods: [GET]}}]}]}",
            {(W, "V0825", "spec.rules[0]")},
        ),
        (
            "AuthorizationPolicy",
            "{action: DENY, rules: [{to: [{operation: {methods: [GET], ports: ['80']}}]}]}",
            set(),
        ),
        ("AuthorizationPolicy", "{selector: {}}", {(W, "V0121", "spec.selector")}),
        (
            "AuthorizationPolicy",
            "{targetRefs: [{group: apps, kind: Deployment, name: a}]}",
            {(E, "V0122", "spec.targetRefs[0]")},
        ),
        ("PeerAuthentication", "{mtls: {mode: STRICT}}", set()),
        (
            "PeerAuthentication",
            "{selector: {matchLabels: {a: b}}, portLevelMtls: {80: {mode: STRICT}}}",
            set(),
        ),
        ("RequestAuthentication", f"{{jwtRules: [{{issuer: a, jwks: {KEYS}}}]}}", set()),
        (
            "RequestAuthentication",
            "{jwtRules: [{issuer: a, jwks: '{'}]}",
            {(E, "V0811", "spec.jwtRules[0].jwks")},
        ),
        (
            "RequestAuthentication",
            '{jwtRules: [{issuer: a, jwks: \'{"keys": [{"kty": "RSA", "d": "x"}]}\'}]}',
            {(W, "V0812", "spec.jwtRules[0].jwks")},
        ),
        (
            "Telemetry",
            (
                '{accessLogging: [{filter: {expression: \'response.code >= 400 || a.b["c"] in'
                " [1]'}}]}"
            ),
            set(),
        ),
        (
            "Telemetry",
            "{accessLogging: [{filter: {expression: 'response.code >= '}}]}",
            {(E, "V0901", "spec.accessLogging[0].filter.expression")},
        ),
        ("Telemetry", "{tracing: [{}, {}]}", {(W, "V0902", "spec.tracing")}),
        ("WasmPlugin", "{url: 'oci://a.b/c:1'}", set()),
        (
            "WasmPlugin",
            "{url: a.b/c, vmConfig: {env: [{name: A, value: x}, {name: A, value: z}]}}",
            {(E, "V0923", "spec.vmConfig.env[1].name")},
        ),
        ("TrafficExtension", "{lua: {inlineCode: x}}", set()),
        ("WorkloadEntry", "{network: net}", {(W, "V0511", "spec")}),
        ("WorkloadEntry", "{address: a_b}", {(E, "V0511", "spec.address")}),
        ("WorkloadGroup", "{template: {}, probe: {httpGet: {port: 1, scheme: HTTP}}}", set()),
        ("WorkloadGroup", "{template: {}, probe: {}}", {(E, "V0522", "spec.probe")}),
        ("ProxyConfig", "{concurrency: 0}", set()),
        ("WorkloadEntry", "{address: 'unix:///a', ports: {a: 1}}", {(E, "V0108", "spec")}),
        (
            "WorkloadGroup",
            "{template: {}, probe: {exec: {command: []}}}",
            {(E, "V0522", "spec.probe.exec")},
        ),
        (
            "AuthorizationPolicy",
            "{rules: [{from: [{source: {serviceAccounts: ['a*', a/b/c]}}]}]}",
            {
                (E, "V0822", "spec.rules[0].from[0].source.serviceAccounts[0]"),
                (E, "V0822", "spec.rules[0].from[0].source.serviceAccounts[1]"),
            },
        ),
    ],
)
def test_policies(kind: str, spec: str, expected: set[tuple[str, str, str]]) -> None:
    assert found(kind, spec) == expected


INTERNALS = (W, "V0701", "spec")
VALUE = "patch: {operation: MERGE, value: {a: 1}}"


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        (f"{{applyTo: CLUSTER, {VALUE}}}", set()),
        (f"{{{VALUE}}}", {(E, "V0702", "spec.configPatches[0]")}),
        (
            "{applyTo: CLUSTER, patch: {operation: ADD}}",
            {(E, "V0702", "spec.configPatches[0].patch")},
        ),
        (
            f"{{applyTo: CLUSTER, match: {{listener: {{}}}}, {VALUE}}}",
            {(E, "V0703", "spec.configPatches[0].match.listener")},
        ),
        (
            (
                "{applyTo: HTTP_FILTER, match: {listener: {filterChain: {filter: {name:"
                f" envoy.tcp_proxy}}}}}}}}, {VALUE}}}"
            ),
            {(W, "V0704", "spec.configPatches[0].match.listener.filterChain.filter.name")},
        ),
        (
            "{applyTo: HTTP_FILTER, match: {listener: {filterChain: {filter: {name: a, subFilter:"
            " {name: b}}}}}, " + f"{VALUE}}}",
            {(E, "V0703", "spec.configPatches[0].match.listener.filterChain.filter.subFilter")},
        ),
    ],
)
def test_envoy_filter(patch: str, expected: set[tuple[str, str, str]]) -> None:
    assert found("EnvoyFilter", f"{{configPatches: [{patch}]}}") == expected | {INTERNALS}


def test_dry_run_is_for_authorization_policies() -> None:
    dry = ", annotations: {istio.io/dry-run: 'true'}"
    assert found("AuthorizationPolicy", "{}", metadata=dry) == set()
    path = 'metadata.annotations["istio.io/dry-run"]'
    assert found("PeerAuthentication", "{}", metadata=dry) == {(E, "V0120", path)}
    wrong = dry.replace("true", "maybe")
    assert found("AuthorizationPolicy", "{}", metadata=wrong) == {(E, "V0120", path)}


def test_operator_files() -> None:
    spec = "{mtls: {mode: DISABLE}, meshConfig: {connectTimeout: x}}"
    text = f"{{apiVersion: install.istio.io/v1alpha1, kind: IstioOperator, spec: {spec}}}"
    diagnostics = load([("f", text)]).diagnostics
    assert {(str(d.code), d.path) for d in diagnostics} == {
        ("V0102", "spec.mtls"),
        ("V0101", "spec.meshConfig.connectTimeout"),
    }
    assert any("PeerAuthentication" in d.hint for d in diagnostics)


@pytest.mark.parametrize(
    ("annotation", "severity"),
    [
        ("proxy.istio.io/config: 'concurrency: 2'", None),
        ("proxy.istio.io/config: 'concurrency: many'", E),
        ("proxy.istio.io/config: '{'", E),
        ("proxy.istio.io/config: 'concurency: 2'", W),
        ("sidecar.istio.io/proxyImage: foo", W),
        ("sidecar.istio.io/proxyImage: a.b/foo", None),
        ("sidecar.istio.io/proxyMemory: '4'", W),
        ("sidecar.istio.io/proxyMemory: 4Gi", None),
        ("sidecar.istio.io/proxyMemory: 128Mi", None),
    ],
)
def test_annotations_of_pods(annotation: str, severity: str | None) -> None:
    name = annotation.partition(":")[0]
    pod = f"{{apiVersion: v1, kind: Pod, metadata: {{name: a, annotations: {{{annotation}}}}}}}"
    template = f"{{metadata: {{annotations: {{{annotation}}}}}}}"
    deployment = (
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {template:"
        f" {template}}}}}"
    )
    for text, place in ((pod, "metadata"), (deployment, "spec.template.metadata")):
        found_here = [(str(d.severity), d.path) for d in load([("f", text)]).diagnostics]
        assert found_here == ([(severity, f'{place}.annotations["{name}"]')] if severity else [])
