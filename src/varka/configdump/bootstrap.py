"""The bootstrap of a config dump and its extension configurations (ECDS)."""

from __future__ import annotations

from typing import Any

from varka.configdump.reader import Dump, at, items, number, text, without_type

Row = tuple[str, ...]


def bootstrap(dump: Dump) -> dict[str, Any]:
    """The section with what this Envoy was started with. Raises NoSection."""
    return without_type(dump.section("BootstrapConfigDump"))


def version_rows(dump: Dump) -> list[Row]:
    """The versions of Istio (where the node names them) and of Envoy. Raises NoSection."""
    node = at(bootstrap(dump), "bootstrap", "node")
    istio = text(node, "metadata", "ISTIO_VERSION")
    sha = text(node, "metadata", "ISTIO_PROXY_SHA").split(":")
    rows = [("Istio Version:", istio), ("Istio Proxy Version:", sha[1] if len(sha) > 1 else sha[0])]
    return [
        *(row for row in rows if row[1]),
        ("Envoy Version:", _envoy_version(at(node, "user_agent_build_version"))),
    ]


def _envoy_version(build: Any) -> str:
    version = ".".join(
        str(number(build, "version", name)) for name in ("major_number", "minor_number", "patch")
    )
    metadata = at(build, "metadata") or {}
    marks = (
        ("build.label", "-"),
        ("revision.status", "/"),
        ("build.type", "/"),
        ("ssl.version", "/"),
    )
    return version + "".join(f"{mark}{metadata[name]}" for name, mark in marks if name in metadata)


def extensions(dump: Dump) -> dict[str, Any]:
    """The extension configurations of all ECDS sections in one list. Raises NoSection."""
    return {
        "ecds_filters": [
            entry
            for section in dump.sections("EcdsConfigDump")
            for entry in items(section, "ecds_filters")
        ]
    }


def extension_rows(dump: Dump) -> list[Row]:
    """Name and type of each extension configuration, sorted by type. Raises NoSection."""
    filters = [at(entry, "ecds_filter") for entry in extensions(dump)["ecds_filters"]]
    named = [
        (text(f, "typed_config", "@type").removeprefix("type.googleapis.com/"), text(f, "name"))
        for f in filters
    ]
    return [("ECDS NAME", "TYPE"), *((name, kind) for kind, name in sorted(named))]
