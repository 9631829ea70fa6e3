"""Texts to resources: what is good stays, what is wrong is told with its place."""

from typing import Any

import pytest

from varka.base.diagnostic import Diagnostic, Severity
from varka.base.names import ObjectKey
from varka.resources.codes import Code
from varka.resources.findings import parsed_path, path_text
from varka.resources.load import PRUNED, Loaded, load

SERVICE = """
apiVersion: v1
kind: Service
metadata:
  name: a
  labels: {app: a}
  creationTimestamp: "2024-01-01T00:00:00Z"
spec:
  clusterIP: 10.0.0.1
  selector: null
  ports:
  - {name: http, port: 80, targetPort: web}
  - {name: tcp, port: 81, targetPort: "8081"}
"""


def one(text: str, **options: Any) -> Any:
    loaded = load([("f.yaml", text)], **options)
    assert not errors(loaded), loaded.diagnostics
    return loaded.resources[0]


def errors(loaded: Loaded) -> list[Diagnostic]:
    return [d for d in loaded.diagnostics if d.severity is Severity.ERROR]


def test_kubernetes_objects_are_whole() -> None:
    service = one(SERVICE)
    assert service.key == ObjectKey("", "Service", "default", "a")
    assert service.spec.spec.cluster_ip == "10.0.0.1"
    assert [p.target_port for p in service.spec.spec.ports] == ["web", "8081"]
    assert service.spec.spec.selector == {}
    assert service.created == "2024-01-01T00:00:00Z"
    assert service.raw["spec"]["clusterIP"] == "10.0.0.1"


def test_istio_objects_are_their_spec() -> None:
    rule = one(
        "{apiVersion: networking.istio.io/v1beta1, kind: DestinationRule, metadata: {name: d},"
        " spec: {host: a}}"
    )
    assert rule.spec.host == "a"
    assert rule.api_version == "networking.istio.io/v1beta1"


def test_secrets_are_decoded() -> None:
    secret = one(
        "{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {k: dmFsdWU=}, stringData:"
        " {p: q}}"
    )
    assert secret.spec.data == {"k": b"value"}
    assert secret.spec.string_data == {"p": "q"}


@pytest.mark.parametrize(
    ("namespace", "expected"), [("default", "default"), ("x", "x"), (None, "")]
)
def test_default_namespace(namespace: str | None, expected: str) -> None:
    assert (
        one("{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}", namespace=namespace).namespace
        == expected
    )


def test_cluster_scope_has_no_namespace() -> None:
    assert (
        one("{apiVersion: v1, kind: Namespace, metadata: {name: c, namespace: x}}").namespace == ""
    )


def test_lists_are_unfolded_with_their_places() -> None:
    item = "{apiVersion: v1, kind: ConfigMap, metadata: {name: %s}}"
    loaded = load([("f", f"apiVersion: v1\nkind: List\nitems:\n- {item % 'a'}\n- {item % 'b'}\n")])
    assert [r.name for r in loaded.resources] == ["a", "b"]
    assert str(loaded.places[loaded.resources[1].key].origin()) == "f:5:3"


def test_bad_objects_leave_good_ones() -> None:
    loaded = load(
        [
            (
                "f",
                SERVICE
                + "---\napiVersion: v1\nkind: Service\nmetadata: {name: b}\nspec: {ports: [{port:"
                " x}]}\n",
            )
        ]
    )
    assert [r.name for r in loaded.resources] == ["a"]
    (found,) = errors(loaded)
    assert (found.path, str(found.origin), found.object) == (
        "spec.ports[0].port",
        "f:18:17",
        ObjectKey("", "Service", "default", "b"),
    )


def test_all_mistakes_of_a_kubernetes_object() -> None:
    text = (
        "{apiVersion: v1, kind: Service, metadata: {name: b}, spec: {ports: [{port: x}, {name: 1}],"
        " selector: []}}"
    )
    assert {d.path for d in errors(load([("f", text)]))} == {
        "spec.ports[0].port",
        "spec.ports[1].name",
        "spec.selector",
    }


def test_misspelt_fields_of_kubernetes_objects() -> None:
    text = (
        "{apiVersion: v1, kind: Service, metadata: {name: b}, spec: {ports: [{port: 1, targetport:"
        " 2, other: 1}]}}"
    )
    (found,) = load([("f", text)]).diagnostics
    assert (found.severity, found.path, found.hint) == (
        Severity.WARNING,
        "spec.ports[0].targetport",
        "did you mean 'targetPort'?",
    )


def test_of_two_with_one_key_the_later_wins() -> None:
    loaded = load([("f", SERVICE), ("g", SERVICE)])
    assert str(loaded.places[loaded.resources[0].key].origin()) == "g:2:1"
    assert [d.severity for d in loaded.diagnostics] == [Severity.INFO]
    assert [d.severity for d in load([("f", SERVICE + "---" + SERVICE)]).diagnostics] == [
        Severity.WARNING
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[1]", "V0003"),
        ("{a: 1}", "V0003"),
        ("{kind: Service, metadata: {name: a}}", "V0004"),
        ("{apiVersion: v1, kind: Servise, metadata: {name: a}}", "V0005"),
        (
            "{apiVersion: networking.istio.io/v1beta1, kind: EnvoyFilter, metadata: {name: a}}",
            "V0006",
        ),
        ("{apiVersion: v1, kind: Service, metadata: {name: A_b}}", "V0007"),
        ("{apiVersion: v1, kind: Service, metadata: {}}", "V0007"),
        ("{apiVersion: v1, kind: Service}", "V0008"),
        ("{apiVersion: v1, kind: Service, metadata: {name: a, annotations: {x: true}}}", "V0008"),
        ("{apiVersion: v1, kind: Service, metadata: {name: a, labels: {x: 'a b'}}}", "V0008"),
        ("a: [", "V0002"),
    ],
)
def test_codes(text: str, code: str) -> None:
    loaded = load([("f", text)])
    assert [d.code for d in errors(loaded)] == [code]
    assert not loaded.resources


def test_version_hint_names_what_is_served() -> None:
    text = "{apiVersion: networking.istio.io/v1, kind: EnvoyFilter, metadata: {name: a}}"
    assert "networking.istio.io/v1alpha3" in errors(load([("f", text)]))[0].hint


def test_foreign_kinds_are_accepted() -> None:
    loaded = load(
        [("f", "{apiVersion: example.com/v1, kind: Thing, metadata: {name: a}, spec: {x: 1}}")]
    )
    assert loaded.resources[0].spec["spec"] == {"x": 1}
    assert [d.severity for d in loaded.diagnostics] == [Severity.INFO]


def test_a_namespace_that_yaml_takes_for_a_boolean_is_not_the_default_one() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: n\n"
    (found,) = errors(load([("f", text)]))
    assert (found.path, str(found.origin)) == ("metadata.namespace", "f:5:3")
    assert found.hint == "write it with quotes"


def test_groups_that_istio_had_once_are_foreign() -> None:
    text = "{apiVersion: config.istio.io/v1alpha2, kind: QuotaSpec, metadata: {name: a}, spec: {}}"
    loaded = load([("f", text)])
    assert [r.key.kind for r in loaded.resources] == ["QuotaSpec"]
    assert [d.code for d in loaded.diagnostics] == [Code.NOT_INTERPRETED]


def test_a_boolean_annotation_says_how_to_quote_it() -> None:
    text = (
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations:\n   "
        " sidecar.istio.io/inject: false\n"
    )
    (found,) = errors(load([("f", text)]))
    assert (found.path, found.hint, str(found.origin)) == (
        'metadata.annotations["sidecar.istio.io/inject"]',
        'write "false" with quotes',
        "f:6:5",
    )


def test_paths_are_read_as_they_are_shown() -> None:
    for path in (("spec", "http", 0, "route", 12, "weight"), ("metadata", "labels", "a.b/c"), ()):
        assert parsed_path(path_text(path)) == path


def test_what_an_api_server_prunes_may_be_tolerated() -> None:
    text = (
        "{apiVersion: networking.istio.io/v1, kind: Sidecar, metadata: {name: a}, spec: {egres: [],"
        " egress: [{hosts: ['*/*']}]}}"
    )
    assert errors(load([("f.yaml", text)]))
    sidecar = one(text, tolerated=PRUNED)
    assert [listener.hosts for listener in sidecar.spec.egress] == [("*/*",)]


def test_tolerated_mistakes_do_not_hide_others() -> None:
    spec = (
        "hosts: [a.com], nme: a, resolution: STATIC, workloadSelector: {labels: {a: b}}, endpoints:"
        " [{address: 1.1.1.1}]"
    )
    text = (
        "{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: a}, spec:"
        f" {{{spec}}}}}"
    )
    assert "V0108" in [d.code for d in errors(load([("f.yaml", text)], tolerated=PRUNED))]


@pytest.mark.parametrize(
    ("text", "where", "why"),
    [
        ("metadata: foo\nspec: {}", "3:1", "metadata must be a mapping"),
        ("metadata: {name: x}\nspec: [1]", "4:1", "a mapping was expected"),
        ("spec: [1]", "3:1", "a mapping was expected"),
    ],
)
def test_a_malformed_operator_is_told(text: str, where: str, why: str) -> None:
    text = f"apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\n{text}\n"
    [diagnostic] = load([("x.yaml", text)]).diagnostics
    assert (str(diagnostic.origin), diagnostic.severity) == (f"x.yaml:{where}", Severity.ERROR)
    assert why in diagnostic.message


@pytest.mark.parametrize("port", ["-1", "65536", "9223372036854775808", "0"])
def test_ports_are_in_range(port: str) -> None:
    text = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: %s}]}\n"
    [diagnostic] = load([("x.yaml", text % port)]).diagnostics
    assert "a number from 1 to 65535 was expected" in diagnostic.message
    assert (diagnostic.path, str(diagnostic.origin)) == ("spec.ports[0].port", "x.yaml:4:17")


@pytest.mark.parametrize("namespace", ["%REQ(", "A", "a.b", "-a", "a" * 64])
def test_a_namespace_has_a_valid_name(namespace: str) -> None:
    text = f"apiVersion: v1\nkind: Service\nmetadata: {{name: a, namespace: '{namespace}'}}\n"
    [diagnostic] = load([("x.yaml", text)]).diagnostics
    assert "is no valid namespace" in diagnostic.message


def test_an_operator_whose_metadata_is_empty_has_metadata() -> None:
    text = "{apiVersion: install.istio.io/v1alpha1, kind: IstioOperator, metadata: , spec: {}}"
    (resource,) = load([("f", text)]).resources
    assert resource.raw["metadata"] == {}
