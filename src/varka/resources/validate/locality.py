"""Locality load balancing: distribution and failover between regions, zones and subzones."""

from __future__ import annotations

from collections.abc import Sequence

from varka.resources.codes import Code
from varka.resources.model import networking as n
from varka.resources.validate.cursor import Cursor

_TOPOLOGY = (
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "topology.istio.io/subzone",
)


def check_locality(
    setting: n.LocalityLoadBalancerSetting | None, has_outlier: bool, here: Cursor
) -> None:
    if setting is None:
        return
    if setting.distribute and setting.failover:
        here.error(Code.DR_LOCALITY, "distribute and failover can't be combined")
        return
    if setting.failover:
        for place, label in here.each("failoverPriority", setting.failover_priority):
            if label in _TOPOLOGY:
                place.error(
                    Code.DR_LOCALITY, f"failover can't be combined with the topology label {label}"
                )
    for place, rule in here.each("distribute", setting.distribute):
        for locality, weight in rule.to.items():
            if not 0 < weight <= 100:
                place.at("to", locality).error(
                    Code.DR_LOCALITY, f"weight {weight} is not in 1..100"
                )
        if (total := sum(rule.to.values())) != 100:
            place.at("to").error(Code.DR_LOCALITY, f"the weights must add up to 100, not {total}")
        place.at("to").check(Code.DR_LOCALITY, overlap(tuple(rule.to)))
    here.at("distribute").check(
        Code.DR_LOCALITY, overlap([rule.from_ for rule in setting.distribute])
    )
    _check_failover(setting.failover, setting.failover_priority, has_outlier, here)


def check_zone_aware(
    setting: n.ZoneAwareLoadBalancerSetting | None, has_outlier: bool, here: Cursor
) -> None:
    if setting is None:
        return
    for place, label in here.each("failoverPriority", setting.failover_priority):
        if label in _TOPOLOGY:
            place.error(
                Code.DR_LOCALITY,
                f"{label} can't be used here: regions and zones are ordered anyway",
            )
    _check_failover(setting.failover, setting.failover_priority, has_outlier, here)


def _check_failover(
    failover: Sequence[
        n.LocalityLoadBalancerSettingFailover | n.ZoneAwareLoadBalancerSettingFailover
    ],
    priority: Sequence[str],
    has_outlier: bool,
    here: Cursor,
) -> None:
    if (failover or priority) and not has_outlier:
        here.warning(Code.DR_LOCALITY, "failover has no effect without outlierDetection")
    for place, rule in here.each("failover", failover):
        if rule.from_ == rule.to:
            place.error(Code.DR_LOCALITY, "failover must lead to another region")
        if "/" in rule.from_ + rule.to:
            place.error(Code.DR_LOCALITY, "failover names regions only, without zones")
        if "*" in rule.from_ + rule.to:
            place.error(Code.DR_LOCALITY, "failover can't use wildcards")


def overlap(localities: Sequence[str]) -> str:
    """Why localities (`region/zone/subzone`, the last part may be `*`) can't stand side by side, ""
    when they can."""
    seen: list[list[str]] = []
    for locality in localities:
        if "*" in locality[:-1]:
            return f"{locality!r}: only the last character can be a wildcard"
        parts = locality.split("/", 2)
        if "" in parts:
            return f"{locality!r} has an empty region, zone or subzone"
        if parts[-1] == "*":
            parts.pop()
        if any(_covers(old, parts) for old in seen):
            return f"{locality!r} overlaps with another locality"
        seen.append(parts)
    return ""


def _covers(one: list[str], other: list[str]) -> bool:
    return one == other[: len(one)]
