"""Which pods to start and to stop now, so that what runs becomes what is wanted without a gap in
service."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from varka.base.names import ObjectKey


class Wanted(Struct, frozen=True):
    revision: str
    owner: ObjectKey
    ordinal: int = 0


class Present(Struct, frozen=True):
    revision: str
    owner: ObjectKey
    ready: bool


class Steps(Struct, frozen=True):
    start: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()


def steps(wanted: Mapping[str, Wanted], present: Mapping[str, Present]) -> Steps:
    """By pod key. New pods start at once; old ones go when all new ones of their owner are ready. A
    pod that keeps its name (StatefulSet, Pod) is stopped first, of a StatefulSet one at a time from
    the highest ordinal; it starts when it is gone."""
    start = [key for key in wanted if key not in present]
    stop = [
        key
        for key in present
        if key not in wanted and _is_replaced(present[key].owner, wanted, present)
    ]
    return Steps(tuple(start), (*stop, *_changed_in_place(wanted, present)))


def _is_replaced(
    owner: ObjectKey, wanted: Mapping[str, Wanted], present: Mapping[str, Present]
) -> bool:
    successors = [key for key, pod in wanted.items() if pod.owner == owner]
    return all(key in present and present[key].ready for key in successors)


def _changed_in_place(wanted: Mapping[str, Wanted], present: Mapping[str, Present]) -> list[str]:
    outdated = [
        key for key in wanted if key in present and present[key].revision != wanted[key].revision
    ]
    chosen: dict[ObjectKey, str] = {}
    for key in sorted(outdated, key=lambda key: -wanted[key].ordinal):
        owner = wanted[key].owner
        siblings = [
            name for name, pod in wanted.items() if pod.owner == owner and name not in outdated
        ]
        if all(name in present and present[name].ready for name in siblings):
            chosen.setdefault(owner, key)
    return list(chosen.values())
