"""What Istio's admission webhook refuses or warns about, one module per kind."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from varka.resources.findings import Findings
from varka.resources.resource import Resource

_MODULES: Mapping[tuple[str, str], str] = {}


def validate(resource: Resource[Any], findings: Findings) -> None:
    """Everything wrong with the meaning of an object that fits its schema; paths begin at the object's root."""
    module = _MODULES.get(resource.key[:2])
    if module is not None:
        import_module(f"varka.resources.validate.{module}").validate(resource, findings)
