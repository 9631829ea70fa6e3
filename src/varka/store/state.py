"""All objects at one moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct, field

from varka.base.diagnostic import Origin
from varka.base.names import ObjectKey
from varka.resources.place import Place
from varka.resources.resource import Resource
from varka.resources.yaml import Path


class State(Struct, frozen=True, eq=False):
    """An immutable set of objects. What did not change between two states is the same object in
    both, down to the tuple of a kind: `old.of("Gateway") is new.of("Gateway")` while no Gateway
    changed."""

    number: int = 0
    resources: Mapping[ObjectKey, Resource[Any]] = field(default_factory=dict)
    places: Mapping[ObjectKey, Place] = field(default_factory=dict)
    _kinds: Mapping[tuple[str, str], tuple[Resource[Any], ...]] = field(default_factory=dict)

    def of(self, kind: str, group: str = "") -> tuple[Resource[Any], ...]:
        """The objects of a kind, oldest first (creation time, name, namespace). Istio's groups end
        in `istio.io`; the core group is ""."""
        return self._kinds.get((group, kind), ())

    def origin(self, key: ObjectKey, path: Path = ()) -> Origin | None:
        """Where an object stands, or one of its fields; None when there is no such object."""
        place = self.places.get(key)
        return place.origin(path) if place else None

    def updated(
        self, put: Iterable[tuple[Resource[Any], Place]], drop: Iterable[ObjectKey] = ()
    ) -> State:
        """The state after a change set; `self` when nothing differs."""
        resources, places, touched = dict(self.resources), dict(self.places), set()
        for key in drop:
            if resources.pop(key, None) is not None:
                places.pop(key, None)
                touched.add(key[:2])
        for resource, place in put:
            places[resource.key] = place
            if resources.get(resource.key) is not resource:
                resources[resource.key] = resource
                touched.add(resource.key[:2])
        if not touched:
            return (
                self
                if places == self.places
                else State(self.number + 1, self.resources, places, self._kinds)
            )
        kinds = dict(self._kinds)
        fresh: dict[tuple[str, str], list[Resource[Any]]] = {kind: [] for kind in touched}
        for key, resource in resources.items():
            if key[:2] in touched:
                fresh[key[:2]].append(resource)
        kinds.update(
            (kind, tuple(sorted(found, key=lambda r: r.age))) for kind, found in fresh.items()
        )
        return State(self.number + 1, resources, places, kinds)
