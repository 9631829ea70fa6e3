"""What `varka up` adds to manifests."""

from __future__ import annotations

from typing import Any

from varka.local.apiserver.admission import Options, admit

GATEWAY: dict[str, Any] = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "Gateway",
    "metadata": {"name": "g", "namespace": "shop"},
    "spec": {
        "selector": {"istio": "ingressgateway"},
        "servers": [{"port": {"number": 31400, "protocol": "TCP", "name": "tcp"}, "hosts": ["*"]}],
    },
}


def service(name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": spec,
    }


def by_kind(objects: Any, kind: str) -> dict[str, Any]:
    return {value["metadata"]["name"]: value for value in objects if value["kind"] == kind}


def test_a_service_without_an_address_gets_one_and_keeps_it() -> None:
    first = admit([service("a"), service("b")], {})
    addresses = {value["metadata"]["name"]: value["spec"]["clusterIP"] for value in first.changed}
    assert len(set(addresses.values())) == 2
    assert all(address.startswith("10.96.") for address in addresses.values())
    again = admit([service("b"), service("c")], first.addresses)
    assert by_kind(again.changed, "Service")["b"]["spec"]["clusterIP"] == addresses["b"]


def test_headless_named_and_external_services_are_left_alone() -> None:
    objects = [
        service("a", clusterIP="None"),
        service("b", type="ExternalName", externalName="x"),
        service("c", clusterIP="10.96.1.1"),
    ]
    assert admit(objects, {}).changed == []


def test_an_address_that_a_manifest_names_is_not_given_away() -> None:
    taken = admit([service("a")], {}).addresses["a.shop"]
    both = admit([service("z", clusterIP=taken), service("a")], {})
    assert both.addresses["a.shop"] != taken


def test_undeclared_namespaces_are_made_and_injected() -> None:
    made = by_kind(admit([service("a")], {}).added, "Namespace")
    assert set(made) == {"shop", "default", "istio-system"}
    assert made["shop"]["metadata"]["labels"]["istio-injection"] == "enabled"
    assert "istio-injection" not in made["istio-system"]["metadata"]["labels"]


def test_a_declared_namespace_keeps_its_labels_and_no_inject_adds_none() -> None:
    declared = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    made = by_kind(admit([declared, service("a")], {}, Options(inject=False)).added, "Namespace")
    assert "shop" not in made
    assert "istio-injection" not in made["default"]["metadata"]["labels"]


def test_a_gateway_is_made_where_it_is_selected() -> None:
    added = admit([GATEWAY], {}).added
    deployment = by_kind(added, "Deployment")["istio-ingressgateway"]
    assert deployment["metadata"]["namespace"] == "istio-system"
    ports = {
        port["port"]: port["targetPort"]
        for port in by_kind(added, "Service")["istio-ingressgateway"]["spec"]["ports"]
    }
    assert ports == {15021: 15021, 80: 8080, 443: 8443, 31400: 31400}


def test_another_port_does_not_restart_a_gateway() -> None:
    one, two = (
        by_kind(admit([gateway], {}).added, "Deployment")["istio-ingressgateway"]
        for gateway in (GATEWAY, _with_port(8888))
    )
    assert one == two


def _with_port(number: int) -> dict[str, Any]:
    server = {"port": {"number": number, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}
    return {**GATEWAY, "spec": {"selector": {"istio": "ingressgateway"}, "servers": [server]}}


def test_no_gateway_is_made_where_nothing_selects_it_or_the_manifests_bring_one() -> None:
    own = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "own", "namespace": "shop"},
        "spec": {
            "template": {
                "metadata": {"labels": {"app": "istio-ingressgateway", "istio": "ingressgateway"}}
            }
        },
    }
    assert not by_kind(admit([service("a")], {}).added, "Deployment")
    assert not by_kind(admit([GATEWAY, own], {}).added, "Deployment")
    assert not by_kind(admit([GATEWAY], {}, Options(profile="minimal")).added, "Deployment")


def test_an_ingress_starts_the_gateway_that_serves_it() -> None:
    labels = {"istio": "ingressgateway"}
    made = by_kind(admit([service("a")], {}, ingress=labels).added, "Service")
    assert [port["port"] for port in made["istio-ingressgateway"]["spec"]["ports"]] == [
        15021,
        80,
        443,
    ]
    assert not by_kind(admit([service("a")], {}, ingress={"istio": "other"}).added, "Service")
    assert not by_kind(admit([service("a")], {}).added, "Service")
