"""The addresses of every mesh: two meshes never see each other, so all use the same."""

from __future__ import annotations

POD_RANGE = "10.244.0.0/16"
SERVICE_RANGE = "10.96.0.0/16"
GATEWAY = "10.244.0.1"
"""The node as pods see it: their router."""
HOST_ADDRESS = "10.244.0.2"
"""`host.varka.internal`: stands for the machine's 127.0.0.1."""
FIRST_POD = "10.244.0.3"
DNS_ADDRESS = "10.96.0.10"
