"""Every field that the table of fields without effect names is told when somebody sets it, and no
other."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

import msgspec
import pytest

from varka.analyze.no_effect import UNREAD
from varka.base.duration import Duration
from varka.envoy import unread as envoy
from varka.inject import unread as inject
from varka.mesh import unread as mesh
from varka.resources.findings import Findings
from varka.resources.ineffective import ineffective
from varka.resources.meshconfig import proxy_config_without_effect, without_effect
from varka.resources.model.mesh import MeshConfig
from varka.resources.model.proxyconfig import ProxyConfig
from varka.resources.model.telemetry import Telemetry
from varka.resources.shape import Shape, inner_message, message_fields

KINDS: dict[str, type[msgspec.Struct]] = {
    "MeshConfig": MeshConfig,
    "ProxyConfig": ProxyConfig,
    "Telemetry": Telemetry,
}


def leaves(model: type[msgspec.Struct], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, field in message_fields(model).items():
        inner = inner_message(field.type)
        if inner is None or not message_fields(inner):
            yield (*path, name)
        else:
            yield from leaves(inner, (*path, name))


def document(model: type[msgspec.Struct], path: tuple[str, ...]) -> dict[str, Any]:
    """A value of the model with nothing but this field."""
    field, inner = (
        message_fields(model)[path[0]],
        inner_message(message_fields(model)[path[0]].type),
    )
    value = (
        document(inner, path[1:])
        if inner is not None and path[1:]
        else {}
        if inner is not None
        else sample(field.type)
    )
    if inner is not None:
        origins = {typing.get_origin(kind) for kind in (field.type, *typing.get_args(field.type))}
        value = [value] if tuple in origins else {"key": value} if Mapping in origins else value
    return {path[0]: value}


def sample(kind: Any) -> Any:
    """Something that is no default."""
    for one in (kind, *typing.get_args(kind)):
        if typing.get_origin(one) is tuple:
            return [sample(typing.get_args(one)[0])]
        if typing.get_origin(one) is Mapping:
            return {"key": sample(typing.get_args(one)[1])}
        if isinstance(one, type) and issubclass(one, StrEnum):
            return str(list(one)[-1])
        for known, value in ((Duration, "7s"), (bool, False), (int, 7), (float, 7.0), (str, "x")):
            if one is known:
                return value
    return {"key": "x"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_is_told_when_the_table_has_it(kind: str) -> None:
    wrong = []
    for path in leaves(KINDS[kind]):
        field = ".".join((kind, *path))
        named = any(f"{field}.".startswith(f"{known}.") for known in UNREAD)
        given = document(KINDS[kind], path)
        findings = Findings()
        read = Shape(findings).read(given, KINDS[kind], ())
        assert not findings.items, (field, findings.items)
        if named is not bool(list(ineffective(read, kind, UNREAD))):
            wrong.append(field)
    assert not wrong


def test_paths_lead_to_what_was_written() -> None:
    text = (
        "{defaultConfig: {stat_name_length: 300}, extensionProviders: [{name: p, prometheus: {}}]}"
    )
    value = {"kind": "ConfigMap", "data": {"mesh": text}}
    found = [path for path, _ in without_effect(value, UNREAD)]
    assert found == [
        ("data", "mesh", "defaultConfig", "statNameLength"),
        ("data", "mesh", "extensionProviders", 0, "prometheus"),
    ]


def test_what_repeats_the_default_is_not_told() -> None:
    assert not list(
        without_effect({"enableAutoMtls": True, "trustDomain": "cluster.local"}, UNREAD)
    )
    assert not list(proxy_config_without_effect({"statusPort": 15020, "concurrency": 2}, UNREAD))
    assert [path for path, _ in proxy_config_without_effect({"statusPort": 15029}, UNREAD)] == [
        ("statusPort",)
    ]


def test_each_package_speaks_of_its_own_fields() -> None:
    tables = (mesh.UNREAD, envoy.UNREAD, inject.UNREAD)
    assert sum(map(len, tables)) == len(UNREAD), "no field is listed twice"
