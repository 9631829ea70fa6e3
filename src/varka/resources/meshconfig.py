"""MeshConfig and ProxyConfig, merged as Istio merges them: every field overrides, except a few that are joined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import msgspec

from varka.base.diagnostic import Diagnostic, Origin, Severity
from varka.resources.codes import Code
from varka.resources.findings import Finding, Findings, path_text
from varka.resources.model import mesh
from varka.resources.model.base import decode
from varka.resources.shape import Shape, message_fields
from varka.resources.validate.meshconfig import validate_mesh_config, validate_mesh_networks
from varka.resources.yaml import Document, Path, documents

_PROXY_DEFAULTS: dict[str, Any] = {
    "configPath": "./etc/istio/proxy",
    "binaryPath": "/usr/local/bin/envoy",
    "serviceCluster": "istio-proxy",
    "drainDuration": "45s",
    "terminationDrainDuration": "5s",
    "proxyAdminPort": 15000,
    "controlPlaneAuthPolicy": "MUTUAL_TLS",
    "discoveryAddress": "istiod.istio-system.svc:15012",
    "statNameLength": 189,
    "statusPort": 15020,
}
_DEFAULTS: dict[str, Any] = {
    "enableTracing": True,
    "accessLogEncoding": "TEXT",
    "protocolDetectionTimeout": "0s",
    "ingressService": "istio-ingressgateway",
    "ingressControllerMode": "STRICT",
    "ingressClass": "istio",
    "trustDomain": "cluster.local",
    "enableAutoMtls": True,
    "outboundTrafficPolicy": {"mode": "ALLOW_ANY"},
    "inboundTrafficPolicy": {"mode": "PASSTHROUGH"},
    "localityLbSetting": {"enabled": True},
    "rootNamespace": "istio-system",
    "proxyListenPort": 15001,
    "proxyInboundListenPort": 15006,
    "connectTimeout": "10s",
    "defaultServiceExportTo": ["*"],
    "defaultVirtualServiceExportTo": ["*"],
    "defaultDestinationRuleExportTo": ["*"],
    "dnsRefreshRate": "60s",
    "enablePrometheusMerge": True,
    "defaultProviders": {},
    "extensionProviders": [
        {"name": "prometheus", "prometheus": {}},
        {"name": "stackdriver", "stackdriver": {}},
        {"name": "envoy", "envoyFileAccessLog": {"path": "/dev/stdout"}},
    ],
    "defaultConfig": _PROXY_DEFAULTS,
}
_CLUSTER_NAME = ("serviceCluster", "tracingServiceName")


@cache
def default_mesh_config() -> mesh.MeshConfig:
    """What Istio has without any configuration."""
    return decode(_DEFAULTS, mesh.MeshConfig)


def load_mesh_config(text: str, name: str) -> tuple[mesh.MeshConfig, tuple[Diagnostic, ...]]:
    """The mesh configuration of a file, merged over the defaults, and what is wrong with it.

    The file holds a MeshConfig, the ConfigMap `istio` with it under the key `mesh`, or an IstioOperator with
    `spec.meshConfig`. With errors in it the defaults are returned.
    """
    found, problems = documents(text)
    diagnostics = [Diagnostic(Code.SYNTAX, Severity.ERROR, p.message, Origin(name, p.mark.line, p.mark.column)) for p in problems]
    if problems or not found:
        return default_mesh_config(), tuple(diagnostics)
    document = next((d for d in found if _is_wrapper(d.value)), found[0])
    value, prefix, nested = _unwrap(document)
    if nested is not None:
        config, inner = load_mesh_config(nested, name)
        return config, tuple(_inside(d, document, prefix, name) for d in inner)
    config, findings = merge_mesh_config(value)
    diagnostics += [_diagnostic(f, document, prefix, name) for f in findings.items]
    return config, tuple(diagnostics)


def load_mesh_networks(text: str, name: str) -> tuple[mesh.MeshNetworks, tuple[Diagnostic, ...]]:
    """The networks of a MeshNetworks document, and what is wrong with it; none when it has errors."""
    found, problems = documents(text)
    diagnostics = [Diagnostic(Code.SYNTAX, Severity.ERROR, p.message, Origin(name, p.mark.line, p.mark.column)) for p in problems]
    empty = mesh.MeshNetworks()
    if problems or not found:
        return empty, tuple(diagnostics)
    findings = Findings()
    given = Shape(findings).read(found[0].value, mesh.MeshNetworks, ())
    networks = empty if findings.failed else decode(given, mesh.MeshNetworks)
    validate_mesh_networks(networks, findings)
    diagnostics += [_diagnostic(f, found[0], (), name) for f in findings.items]
    return (empty if findings.failed else networks), tuple(diagnostics)


def merge_mesh_config(value: Any) -> tuple[mesh.MeshConfig, Findings]:
    """A MeshConfig given as plain values over Istio's defaults; the defaults when it has errors."""
    findings = Findings()
    given = Shape(findings).read(value, mesh.MeshConfig, ())
    if findings.failed or not isinstance(given, dict):
        return default_mesh_config(), findings
    config = decode(_merged(given), mesh.MeshConfig)
    validate_mesh_config(config, findings)
    return (default_mesh_config() if findings.failed else config), findings


def merge_proxy_config(base: mesh.ProxyConfig, value: Any) -> tuple[mesh.ProxyConfig, Findings]:
    """A `proxy.istio.io/config` annotation, as plain values, over `base` (MeshConfig.defaultConfig); with errors `base`."""
    findings = Findings()
    given = Shape(findings).read(value, mesh.ProxyConfig, ())
    if findings.failed or not isinstance(given, dict):
        return base, findings
    patch = decode(given, mesh.ProxyConfig)
    changes = {name: getattr(patch, _attribute(name)) for name in given}
    if "proxyMetadata" in changes:
        changes["proxyMetadata"] = {**base.proxy_metadata, **changes["proxyMetadata"]}
    if "proxyHeaders" in changes and base.proxy_headers is not None:
        changes["proxyHeaders"] = _over(base.proxy_headers, changes["proxyHeaders"])
    if any(name in changes for name in _CLUSTER_NAME):
        changes = {**dict.fromkeys(_CLUSTER_NAME), **changes}
    return msgspec.structs.replace(base, **{_attribute(name): item for name, item in changes.items()}), findings


def _over(base: Any, patch: Any) -> Any:
    given = {f.name: getattr(patch, f.name) for f in msgspec.structs.fields(patch) if getattr(patch, f.name) is not None}
    return msgspec.structs.replace(base, **given)


def _attribute(name: str) -> str:
    return message_fields(mesh.ProxyConfig)[name].name


def _merged(given: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**_DEFAULTS, **given}
    merged["defaultConfig"] = _merged_proxy(given.get("defaultConfig", {}))
    merged["defaultProviders"] = {**_DEFAULTS["defaultProviders"], **given.get("defaultProviders", {})}
    providers = {provider["name"]: provider for provider in _DEFAULTS["extensionProviders"]}
    for provider in given.get("extensionProviders", ()):
        providers[provider.get("name", "")] = provider
    merged["extensionProviders"] = list(providers.values())
    merged["trustDomainAliases"] = sorted(set(given.get("trustDomainAliases", ())))
    return merged


def _merged_proxy(given: Mapping[str, Any]) -> dict[str, Any]:
    base = dict(_PROXY_DEFAULTS)
    if any(name in given for name in _CLUSTER_NAME):
        base.pop("serviceCluster")
    return {**base, **given}


def _is_wrapper(value: Any) -> bool:
    return isinstance(value, dict) and value.get("kind") in ("IstioOperator", "ConfigMap")


def _unwrap(document: Document) -> tuple[Any, Path, str | None]:
    """The MeshConfig inside a document, the way to it, and its text when it is text there."""
    value = document.value
    if isinstance(value, dict) and value.get("kind") == "IstioOperator":
        return (value.get("spec") or {}).get("meshConfig") or {}, ("spec", "meshConfig"), None
    if isinstance(value, dict) and value.get("kind") == "ConfigMap":
        text = (value.get("data") or {}).get("mesh")
        return {}, ("data", "mesh"), text if isinstance(text, str) else ""
    return value, (), None


def _diagnostic(finding: Finding, document: Document, prefix: Path, name: str) -> Diagnostic:
    mark = document.find((*prefix, *finding.path))
    path = path_text((*prefix, *finding.path))
    return Diagnostic(
        finding.code, finding.severity, finding.message, Origin(name, mark.line, mark.column), path=path, hint=finding.hint
    )


def _inside(diagnostic: Diagnostic, document: Document, prefix: Path, name: str) -> Diagnostic:
    """A diagnostic of a text that is a block scalar under a key: its lines follow the key's."""
    mark = document.find(prefix)
    line = mark.line + (diagnostic.origin.line if diagnostic.origin else 1)
    path = f"{path_text(prefix)}: {diagnostic.path}" if diagnostic.path else path_text(prefix)
    return replace(diagnostic, origin=Origin(name, line, mark.column), path=path)
