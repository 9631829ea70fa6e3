"""Objects that hold a mesh configuration: the ConfigMap `istio`, and IstioOperator, a file for
installing, which is read for `spec.meshConfig` only. Unknown fields of an IstioOperator are errors,
as for istioctl."""

from __future__ import annotations

from typing import Any

from varka.base.names import ObjectKey
from varka.resources.codes import Code
from varka.resources.findings import Findings
from varka.resources.shape import near

_FIELDS = (
    *(
        "profile",
        "hub",
        "tag",
        "namespace",
        "revision",
        "defaultRevision",
        "meshConfig",
        "components",
        "values",
    ),
    *("unvalidatedValues", "compatibilityVersion", "installPackagePath", "addonComponents"),
)
MESH_CONFIG = ObjectKey("", "ConfigMap", "istio-system", "istio")
"""The ConfigMap with the mesh configuration."""
_OWN_KINDS = {
    "mtls": "PeerAuthentication of security.istio.io/v1",
    "rules": "AuthorizationPolicy of security.istio.io/v1",
}


def check_operator(value: dict[str, Any], findings: Findings) -> None:
    """What istioctl would refuse; paths begin at the object's root."""
    spec = value.get("spec") or {}
    if not isinstance(spec, dict):
        findings.error(Code.WRONG_TYPE, ("spec",), "a mapping was expected")
        return
    for name in spec:
        if name not in _FIELDS:
            hint = (
                f"{name} is a field of kind {_OWN_KINDS[name]}"
                if name in _OWN_KINDS
                else near(name, _FIELDS)
            )
            findings.error(Code.UNKNOWN_FIELD, ("spec", name), f"unknown field {name!r}", hint)
    if spec.get("meshConfig") is not None:
        check_mesh_config(value, findings)


def check_mesh_config(value: dict[str, Any], findings: Findings) -> None:
    """What istiod would refuse of an object that holds a mesh configuration, so that a mesh keeps
    the one it has."""
    from varka.resources.meshconfig import read_wrapped

    read_wrapped(value, findings)
