"""The typed object that everything downstream works on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from msgspec import Struct, field

from varka.base.names import ObjectKey

Spec = TypeVar("Spec")


class Resource(Struct, Generic[Spec], frozen=True, eq=False):
    """A validated object. Compared by identity: while its content is unchanged it stays the same
    object.

    Its place in a file is not part of it: the store knows `origin(key)`, because a line that moved
    must not make anything be compiled again.
    """

    key: ObjectKey
    api_version: str
    """As written (`networking.istio.io/v1beta1`); all versions of a kind decode to the same
    spec."""
    spec: Spec
    """A model of `resources.model`: Istio kinds by their name, Kubernetes kinds from
    `model.kubernetes`."""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    created: str = ""
    """creationTimestamp, RFC 3339 in UTC; "" is older than any other. Ties: name, then
    namespace."""
    raw: Mapping[str, Any] = field(default_factory=dict)
    """The whole object as plain values, as the user wrote it."""

    @property
    def name(self) -> str:
        return self.key.name

    @property
    def namespace(self) -> str:
        return self.key.namespace

    @property
    def age(self) -> tuple[str, str, str]:
        """Sort key of Istio's conflict rules: oldest first, then name, then namespace."""
        return (self.created, self.key.name, self.key.namespace)
