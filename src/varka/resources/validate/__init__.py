"""What Istio's admission webhook refuses or warns about, one module per kind."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from varka.resources.findings import Findings
from varka.resources.resource import Resource

_MODULES: Mapping[str, str] = {
    "VirtualService": "virtualservice",
    "DestinationRule": "destinationrule",
    "Gateway": "gateway",
    "ServiceEntry": "serviceentry",
    "WorkloadEntry": "workloadentry",
    "WorkloadGroup": "workloadgroup",
    "Sidecar": "sidecar",
    "EnvoyFilter": "envoyfilter",
    "ProxyConfig": "proxyconfig",
    "PeerAuthentication": "peerauthentication",
    "RequestAuthentication": "requestauthentication",
    "AuthorizationPolicy": "authorizationpolicy",
    "Telemetry": "telemetry",
    "WasmPlugin": "extension",
    "TrafficExtension": "extension",
}


def validate(resource: Resource[Any], findings: Findings) -> None:
    """Everything wrong with the meaning of an Istio object that fits its schema; paths begin at the
    object's root."""
    from varka.resources.validate.common import check_annotations
    from varka.resources.validate.cursor import Cursor

    here = Cursor(findings)
    check_annotations(resource, here)
    import_module(f"varka.resources.validate.{_MODULES[resource.key.kind]}").validate(
        resource, here.at("spec")
    )
