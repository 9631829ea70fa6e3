"""The current state, who wrote each object, and when it was first seen."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from varka.base.names import ObjectKey
from varka.resources.resource import Resource
from varka.store.identity import document, is_same
from varka.store.source import SourceChange, Written
from varka.store.state import State

logger = logging.getLogger(__name__)


class Change(Struct, frozen=True):
    """What one write did; `state` is the state after it."""

    state: State
    created: tuple[ObjectKey, ...] = ()
    configured: tuple[ObjectKey, ...] = ()
    deleted: tuple[ObjectKey, ...] = ()

    @property
    def keys(self) -> tuple[ObjectKey, ...]:
        return (*self.created, *self.configured, *self.deleted)

    def __bool__(self) -> bool:
        return bool(self.created or self.configured or self.deleted)


class Store:
    """Objects of several sources in one state; of one object the last writer wins.

    `births` tells creation times of objects that don't say their own: Istio decides conflicts by
    age.
    """

    def __init__(self, births: Births | None = None) -> None:
        self.state = State()
        self._births = births
        self._owners: dict[ObjectKey, str] = {}
        self._asked: dict[ObjectKey, Resource[Any]] = {}
        """What the last writer wrote, before it was amended."""

    def owner(self, key: ObjectKey) -> str:
        """The source that wrote an object last; "" when there is no such object."""
        return self._owners.get(key, "")

    def written(self, source: str, key: ObjectKey) -> Written | None:
        """What a source wrote of an object; None where another wrote it later, or it is gone."""
        return (self._asked[key], self.state.places[key]) if self.owner(key) == source else None

    def document(self, key: ObjectKey) -> dict[str, Any]:
        """An object as it is now, with the newest bookkeeping and status, which change nothing.
        Raises KeyError."""
        return document(self.state.resources[key], self._asked[key].raw)

    def take(self, source: str, change: SourceChange) -> Change:
        """What came to a source, changed in it, or went."""
        if change.whole:
            return self.replace(source, change.put)
        return self.write(source, change.put, change.drop)

    def write(self, source: str, put: Iterable[Written], drop: Iterable[ObjectKey] = ()) -> Change:
        """Put objects and drop those that this source owns. Equal content keeps the object there
        was."""
        old, given = self.state, list(put)
        wanted = [(self._same(resource), place) for resource, place in given]
        gone = tuple(key for key in drop if self._owners.get(key) == source)
        self.state = old.updated(wanted, gone)
        for resource, _ in given:
            self._owners[resource.key], self._asked[resource.key] = source, resource
        for key in gone:
            del self._owners[key], self._asked[key]
        if self._births:
            self._births.save()
        changed = [r.key for r, _ in wanted if old.resources.get(r.key) is not r]
        return Change(
            self.state,
            tuple(k for k in changed if k not in old.resources),
            tuple(k for k in changed if k in old.resources),
            gone,
        )

    def amend(self, resources: Iterable[Resource[Any]]) -> None:
        """Fill in objects that are there, as an API server does; for their owners they are still
        what they wrote."""
        self.state = self.state.updated(
            (self._same(r), self.state.places[r.key]) for r in resources
        )

    def delete(self, keys: Iterable[ObjectKey]) -> Change:
        """Drop objects, whoever owns them."""
        gone = tuple(key for key in keys if key in self._owners)
        self.state = self.state.updated((), gone)
        for key in gone:
            del self._owners[key], self._asked[key]
        return Change(self.state, deleted=gone)

    def replace(self, source: str, put: Iterable[Written]) -> Change:
        """Make these all that a source has."""
        wanted = list(put)
        keep = {resource.key for resource, _ in wanted}
        return self.write(
            source,
            wanted,
            [k for k, owner in self._owners.items() if owner == source and k not in keep],
        )

    def _same(self, resource: Resource[Any]) -> Resource[Any]:
        known = self.state.resources.get(resource.key)
        if known is not None and (
            is_same(known, resource) or is_same(self._asked[resource.key], resource)
        ):
            return known
        if self._births is None or resource.created:
            return resource
        return replace(resource, created=self._births.of(resource.key))


class Births:
    """Creation times that survive a restart: kept in a file, removed with the mesh."""

    def __init__(self, file: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._file, self._now, self._dirty = file, now, False
        self._times = _read_times(file)

    def of(self, key: ObjectKey) -> str:
        name = "/".join(key)
        if name not in self._times:
            self._times[name] = self._now().strftime("%Y-%m-%dT%H:%M:%SZ")
            self._dirty = True
        return self._times[name]

    def save(self) -> None:
        """Where the file can't be written, the next change tries again."""
        if not self._dirty:
            return
        fresh = self._file.with_suffix(".new")
        try:
            fresh.write_text(json.dumps(self._times))
            os.replace(fresh, self._file)
        except OSError as error:
            logger.error("creation times can't be kept: %s", error)
        else:
            self._dirty = False


def _read_times(file: Path) -> dict[str, str]:
    """Without a file, or with one that is broken, all objects are new."""
    if not file.exists():
        return {}
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, str])
    except msgspec.MsgspecError as error:
        logger.error("creation times are forgotten: %s: %s", file, error)
        return {}
