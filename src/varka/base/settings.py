"""Istio's environment switches that change what is compiled: read once at the edge, passed on as a
value."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import fields


class Settings(Struct, frozen=True):
    """Fields are named after Istio's variables; defaults are Istio's."""

    pilot_enable_ip_autoallocate: bool = True
    enable_tls_on_sidecar_ingress: bool = False
    pilot_scope_gateway_to_namespace: bool = False
    pilot_filter_gateway_cluster_config: bool = False
    domain: str = "cluster.local"
    cluster_id: str = "Kubernetes"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Switches that are set to something Go's strconv.ParseBool takes as true or false; others
        keep their default."""
        words = {
            **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
            **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False),
        }
        chosen = {
            field.name: words[environment[field.name.upper()]]
            for field in fields(cls)
            if field.type is bool and environment.get(field.name.upper()) in words
        }
        return cls(**chosen)  # type: ignore[arg-type]
