"""Names that Istio gives Envoy's resources, taken apart: clusters, and the object behind a
resource."""

from __future__ import annotations

from typing import Any

from varka.configdump.reader import at


def subset_key(name: str) -> tuple[str, int, str, str]:
    """`direction|port|subset|host` or `outbound_.80_.v1_.host`; what is missing stays empty
    (pilot's ParseSubsetKey)."""
    separator = "_." if name.startswith(("outbound_.", "inbound_.")) else "|"
    parts = name.split(separator)
    port = int(parts[1]) if len(parts) > 2 and parts[1].isdecimal() else 0
    direction = parts[0] if len(parts) > 1 else ""
    subset = parts[2] if len(parts) > 3 else ""
    return direction, port, subset, parts[3] if len(parts) == 4 else ""


def cluster_order(name: str) -> tuple[str, str, int, str]:
    """A sort key: clusters are listed by host, subset, port and direction. A name that is not made
    of these stands for the host."""
    if name.count("|") < 3:
        return name, "", 0, ""
    direction, port, subset, host = subset_key(name)
    return host, subset, port, direction


def managed_by(resource: Any) -> str:
    """`name.namespace` of the Istio object that `metadata.filter_metadata.istio.config` names."""
    config = at(resource, "metadata", "filter_metadata", "istio", "config")
    if not isinstance(config, str):
        return ""
    if not config.startswith("/apis/networking.istio.io/"):
        return "<unknown>"
    pieces = config.split("/")
    return f"{pieces[7]}.{pieces[5]}" if len(pieces) == 8 else ""
