"""Every module of a filter has its place in the order."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

import pytest

from varka.envoy.listeners import httpfilters, networkfilters
from varka.envoy.listeners.httpfilters.chain import ORDER as HTTP
from varka.envoy.listeners.networkfilters.chain import ORDER as NETWORK


def filters_of(package: ModuleType) -> list[object]:
    found = (
        importlib.import_module(f"{package.__name__}.{module.name}")
        for module in pkgutil.iter_modules(package.__path__)
    )
    return [module.FILTER for module in found if hasattr(module, "FILTER")]


@pytest.mark.parametrize(
    ("package", "order"), [(httpfilters, HTTP), (networkfilters, NETWORK)], ids=["http", "network"]
)
def test_no_filter_is_left_out(package: ModuleType, order: tuple[object, ...]) -> None:
    found = filters_of(package)
    assert len(found) == len(order)
    assert all(any(one is spec for one in order) for spec in found)


def test_requests_end_at_the_router() -> None:
    assert HTTP[-1].name == "envoy.filters.http.router"
