"""Messages of `istio.type.v1beta1`. Made by tools/make_models.py: change that, not this."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import field

from varka.resources.model.base import Model


class WorkloadMode(StrEnum):
    CLIENT = "CLIENT"
    CLIENT_AND_SERVER = "CLIENT_AND_SERVER"
    SERVER = "SERVER"
    UNDEFINED = "UNDEFINED"


class PolicyTargetReference(Model, frozen=True, eq=False):
    """istio.type.v1beta1.PolicyTargetReference"""

    group: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""


class PortSelector(Model, frozen=True, eq=False):
    """istio.type.v1beta1.PortSelector"""

    number: int = 0


class WorkloadSelector(Model, frozen=True, eq=False):
    """istio.type.v1beta1.WorkloadSelector"""

    match_labels: Mapping[str, str] = field(default_factory=dict)
