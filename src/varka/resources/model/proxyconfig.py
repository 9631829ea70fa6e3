"""Messages of `istio.networking.v1beta1`. Made by tools/make_models.py: change that, not this."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import field

from varka.resources.model import selectors
from varka.resources.model.base import Model


class ProxyConfig(Model, frozen=True, eq=False):
    """istio.networking.v1beta1.ProxyConfig"""

    selector: selectors.WorkloadSelector | None = None
    concurrency: int | None = None
    environment_variables: Mapping[str, str] = field(default_factory=dict)
    image: ProxyImage | None = None


class ProxyImage(Model, frozen=True, eq=False):
    """istio.networking.v1beta1.ProxyImage"""

    image_type: str = ""
