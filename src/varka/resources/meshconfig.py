"""MeshConfig and ProxyConfig, merged as Istio merges them: every field overrides, except a few that
are joined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
from msgspec.structs import replace

from varka.base.diagnostic import Diagnostic, Origin, Severity
from varka.resources.codes import Code
from varka.resources.findings import Finding, Findings, path_text
from varka.resources.ineffective import Reasons, ineffective
from varka.resources.model import mesh
from varka.resources.model.base import decode
from varka.resources.shape import Shape, message_fields
from varka.resources.validate.meshconfig import validate_mesh_config, validate_mesh_networks
from varka.resources.yaml import Document, Path, documents, parse_value

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

    The file holds a MeshConfig, the ConfigMap `istio` with it under the key `mesh`, or an
    IstioOperator with `spec.meshConfig`. With errors in it the defaults are returned.
    """
    found, problems = documents(text)
    diagnostics = [
        Diagnostic(Code.SYNTAX, Severity.ERROR, p.message, Origin(name, p.mark.line, p.mark.column))
        for p in problems
    ]
    if problems or not found:
        return default_mesh_config(), tuple(diagnostics)
    document = wrapper(found)
    findings = Findings()
    config = read_wrapped(document.value, findings)
    return config, tuple(_diagnostic(finding, document, name) for finding in findings.items)


def read_wrapped(value: Any, findings: Findings) -> mesh.MeshConfig:
    """The same of one document as plain values; paths begin at its root and go on inside the text
    of a ConfigMap."""
    try:
        given, prefix = unwrapped(value)
    except ValueError as error:
        findings.error(Code.SYNTAX, ("data", "mesh"), f"no YAML: {error}")
        return default_mesh_config()
    config, inner = merge_mesh_config({} if given is None else given)
    findings.items += [replace(finding, path=(*prefix, *finding.path)) for finding in inner.items]
    return config


def unwrapped(value: Any) -> tuple[Any, Path]:
    """The MeshConfig inside a document, and the way to it. Raises ValueError for a ConfigMap whose
    text is no YAML."""
    if isinstance(value, dict) and value.get("kind") == "IstioOperator":
        return (value.get("spec") or {}).get("meshConfig") or {}, ("spec", "meshConfig")
    if isinstance(value, dict) and value.get("kind") == "ConfigMap":
        text = (value.get("data") or {}).get("mesh")
        return parse_value(text) if isinstance(text, str) else {}, ("data", "mesh")
    return value, ()


def load_mesh_networks(text: str, name: str) -> tuple[mesh.MeshNetworks, tuple[Diagnostic, ...]]:
    """The networks of a MeshNetworks document, and what is wrong with it; none when it has
    errors."""
    found, problems = documents(text)
    diagnostics = [
        Diagnostic(Code.SYNTAX, Severity.ERROR, p.message, Origin(name, p.mark.line, p.mark.column))
        for p in problems
    ]
    empty = mesh.MeshNetworks()
    if problems or not found:
        return empty, tuple(diagnostics)
    findings = Findings()
    given = Shape(findings).read(found[0].value, mesh.MeshNetworks, ())
    networks = empty if findings.failed else decode(given, mesh.MeshNetworks)
    validate_mesh_networks(networks, findings)
    diagnostics += [_diagnostic(f, found[0], name) for f in findings.items]
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


def given_mesh_config(holder: Mapping[str, Any] | None) -> mesh.MeshConfig:
    """What the object with the mesh configuration says, without Istio's defaults; nothing when it
    has errors."""
    findings = Findings()
    value = unwrapped(holder)[0] if holder is not None else None
    given = Shape(findings).read(value or {}, mesh.MeshConfig, ())
    return decode({} if findings.failed else given, mesh.MeshConfig)


def without_effect(value: Any, reasons: Reasons) -> Iterator[tuple[Path, str]]:
    """The fields that a document with a mesh configuration sets in vain, and why; paths begin at
    the document's root."""
    given, prefix = unwrapped(value)
    read = Shape(Findings()).read(given or {}, mesh.MeshConfig, ())
    for path, reason in ineffective(read, "MeshConfig", reasons, _DEFAULTS):
        yield (*prefix, *path), reason


def proxy_config_without_effect(value: Any, reasons: Reasons) -> Iterator[tuple[Path, str]]:
    """The same of a ProxyConfig, as the annotation `proxy.istio.io/config` has it."""
    read = Shape(Findings()).read(value or {}, mesh.ProxyConfig, ())
    return ineffective(read, "MeshConfig.defaultConfig", reasons, _PROXY_DEFAULTS)


def merge_proxy_config(base: mesh.ProxyConfig, value: Any) -> tuple[mesh.ProxyConfig, Findings]:
    """A `proxy.istio.io/config` annotation, as plain values, over `base`
    (MeshConfig.defaultConfig); with errors `base`."""
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
    return msgspec.structs.replace(
        base, **{_attribute(name): item for name, item in changes.items()}
    ), findings


def _over(base: Any, patch: Any) -> Any:
    given = {
        f.name: getattr(patch, f.name)
        for f in msgspec.structs.fields(patch)
        if getattr(patch, f.name) is not None
    }
    return msgspec.structs.replace(base, **given)


def _attribute(name: str) -> str:
    return message_fields(mesh.ProxyConfig)[name].name


def _merged(given: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**_DEFAULTS, **given}
    merged["defaultConfig"] = _merged_proxy(given.get("defaultConfig", {}))
    merged["defaultProviders"] = {
        **_DEFAULTS["defaultProviders"],
        **given.get("defaultProviders", {}),
    }
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


def wrapper(found: Sequence[Document]) -> Document:
    """Of the documents of a file the one that holds the mesh configuration: the first ConfigMap or
    IstioOperator, or just the first."""
    return next((document for document in found if _is_wrapper(document.value)), found[0])


def _is_wrapper(value: Any) -> bool:
    return isinstance(value, dict) and value.get("kind") in ("IstioOperator", "ConfigMap")


def _diagnostic(finding: Finding, document: Document, name: str) -> Diagnostic:
    mark = document.find(finding.path)
    origin = Origin(name, mark.line, mark.column)
    return Diagnostic(
        finding.code,
        finding.severity,
        finding.message,
        origin,
        path=path_text(finding.path),
        hint=finding.hint,
    )
