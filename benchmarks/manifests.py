"""Meshes to measure, as manifests: every container is an echo stand-in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

Manifest = dict[str, Any]
_NETWORKING = "networking.istio.io/v1"


def text(manifests: Sequence[Manifest]) -> str:
    return yaml.safe_dump_all(manifests, sort_keys=False)


def bookshop() -> list[Manifest]:
    """The shape of Istio's bookinfo: four services, six workloads, a gateway to the first of
    them."""
    return [
        *(service(name) for name in ("productpage", "details", "reviews", "ratings")),
        workload("productpage", calls="http://details:9080/, http://reviews:9080/"),
        workload("details"),
        workload("reviews", "v1"),
        *(workload("reviews", version, calls="http://ratings:9080/") for version in ("v2", "v3")),
        workload("ratings"),
        {
            "apiVersion": _NETWORKING,
            "kind": "Gateway",
            "metadata": {"name": "shop"},
            "spec": {
                "selector": {"istio": "ingressgateway"},
                "servers": [
                    {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}
                ],
            },
        },
        {
            "apiVersion": _NETWORKING,
            "kind": "VirtualService",
            "metadata": {"name": "shop"},
            "spec": {
                "hosts": ["*"],
                "gateways": ["shop"],
                "http": [{"route": [{"destination": {"host": "productpage"}}]}],
            },
        },
    ]


def pods(count: int) -> list[Manifest]:
    """That many pods with sidecars: services `s0`, `s1`, ... with a pod of version v1 and one of v2
    each."""
    names = [f"s{i}" for i in range(count // 2)]
    return [
        *(service(name) for name in names),
        *(workload(name, version) for name in names for version in ("v1", "v2")),
    ]


def service(name: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": 9080}]},
    }


def workload(name: str, version: str = "v1", *, calls: str = "") -> Manifest:
    labels = {"app": name, "version": version}
    container = {"name": name, "image": f"example.com/{name}", "ports": [{"containerPort": 9080}]}
    annotations = {"annotations": {"varka.dev/calls": calls}} if calls else {}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"{name}-{version}"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels, **annotations},
                "spec": {"containers": [container]},
            },
        },
    }


def weights(host: str, split: dict[str, int]) -> Manifest:
    """A VirtualService of subsets with weights."""
    route = [
        {"destination": {"host": host, "subset": name}, "weight": weight}
        for name, weight in split.items()
    ]
    return {
        "apiVersion": _NETWORKING,
        "kind": "VirtualService",
        "metadata": {"name": host},
        "spec": {"hosts": [host], "http": [{"route": route}]},
    }


def subsets(host: str, versions: dict[str, str], policy: Manifest | None = None) -> Manifest:
    """A DestinationRule of subset name -> version."""
    listed = [{"name": name, "labels": {"version": version}} for name, version in versions.items()]
    return {
        "apiVersion": _NETWORKING,
        "kind": "DestinationRule",
        "metadata": {"name": host},
        "spec": {"host": host, "subsets": listed, **({"trafficPolicy": policy} if policy else {})},
    }
