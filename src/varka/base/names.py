"""Precise names for strings that must not be mixed up."""

from __future__ import annotations

from typing import NamedTuple, NewType

Hostname = NewType("Hostname", str)
"""Lower-case DNS name, fully qualified; may begin with `*.`."""
Namespace = NewType("Namespace", str)
ClusterName = NewType("ClusterName", str)
"""An Envoy cluster: `outbound|80|v1|a.default.svc.cluster.local`, `inbound|8080||`, ..."""


class ObjectKey(NamedTuple):
    """Identity of an object: one API version of a kind is as good as another. `namespace` is empty
    for cluster scope."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return (
            f"{self.kind} {self.namespace}/{self.name}"
            if self.namespace
            else f"{self.kind} {self.name}"
        )


FieldPath = tuple[str | int, ...]
"""From the root of an object: `("spec", "http", 2, "route", 1)`."""


class FieldOrigin(NamedTuple):
    """The field of an object that something was made from. It knows no line, so that nothing is
    made again when lines move: the store's `State.places` finds it."""

    key: ObjectKey
    path: FieldPath = ()

    def at(self, *steps: str | int) -> FieldOrigin:
        """A field below it."""
        return FieldOrigin(self.key, (*self.path, *steps))
