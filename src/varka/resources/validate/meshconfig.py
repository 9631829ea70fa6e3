"""MeshConfig: what Istio refuses at start-up."""

from __future__ import annotations

from varka.resources.findings import Findings
from varka.resources.model import mesh


def validate_mesh_config(config: mesh.MeshConfig, findings: Findings) -> None:
    """Everything wrong with a merged MeshConfig; paths begin at its root."""


def validate_mesh_networks(networks: mesh.MeshNetworks, findings: Findings) -> None:
    """Everything wrong with MeshNetworks."""
