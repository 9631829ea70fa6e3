"""Clusters of a config dump: which are selected, and their table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from varka.configdump.naming import cluster_order, managed_by, subset_key
from varka.configdump.reader import Dump, NoSection, resources, text

Row = tuple[str, ...]


class ClusterFilter(Struct, frozen=True):
    """Each part, where given, must be in the cluster's name."""

    fqdn: str = ""
    port: int = 0
    subset: str = ""
    direction: str = ""

    def takes(self, cluster: Any) -> bool:
        wanted = (self.fqdn, self.direction, self.subset, f"|{self.port}|" if self.port else "")
        return all(part in text(cluster, "name") for part in wanted)


def select(dump: Dump, chosen: ClusterFilter) -> list[dict[str, Any]]:
    """The clusters that pass, in the order of `cluster_order`. Raises NoSection when the dump has
    no cluster at all."""
    section = dump.section("ClustersConfigDump")
    lists = {"dynamic_active_clusters": ("cluster",), "static_clusters": ("cluster",)}
    clusters = sorted(resources(section, lists), key=lambda c: cluster_order(text(c, "name")))
    if not clusters:
        raise NoSection("no clusters found")
    return [cluster for cluster in clusters if chosen.takes(cluster)]


def rows(clusters: Sequence[Any], *, named: bool = False) -> list[Row]:
    """`named` puts `cluster/NAME` in front, as the overview of everything does."""
    header = ("SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE", "DESTINATION RULE")
    return [("NAME", *header) if named else header, *(_row(cluster, named) for cluster in clusters)]


def _row(cluster: Any, named: bool) -> Row:
    name = text(cluster, "name")
    last = (text(cluster, "type") or "STATIC", managed_by(cluster))
    shown = f"cluster/{name}" if named and name else name
    if name.count("|") >= 3:
        direction, port, subset, host = subset_key(name)
        row: Row = (host, str(port), subset or "-", direction, *last)
    else:
        row = (shown, "-", "-", "-", *last)
    return (shown, *row) if named else row
