"""Where objects come from, and who is told what became of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from varka.base.diagnostic import Diagnostic
from varka.base.names import ObjectKey
from varka.resources.place import Place
from varka.resources.resource import Resource

Written = tuple[Resource[Any], Place]
"""An object and where it stands."""


class SourceChange(Struct, frozen=True, eq=False):
    """What came to a source, changed in it, or went. Objects with errors are not in it: what they
    were before stays."""

    put: tuple[Written, ...] = ()
    drop: tuple[ObjectKey, ...] = ()
    whole: bool = False
    """`put` is all that the source has: whatever else it had is gone."""
    files: tuple[str, ...] = ()
    """The files that were read again."""
    diagnostics: tuple[Diagnostic, ...] = ()
    """What is wrong with what was read."""


class Source(Protocol):
    """One of the places that objects come from: manifests, the file of the mesh configuration, the
    journal of applied objects; a Kubernetes API has the same shape. What requests bring (`varka
    apply`, the runtime) are SourceChanges as well, taken in turn with all others; who brings them
    waits for that."""

    @property
    def name(self) -> str:
        """Who owns the objects, as `varka get -o wide` shows it."""

    @property
    def diagnostics(self) -> Sequence[Diagnostic]:
        """What is wrong with the newest content."""

    def changes(self) -> AsyncIterator[SourceChange]:
        """First what there is now, then every change after that: a source begins to watch before
        it reads. Asked for again after a failure, it begins anew."""


class Condition(Struct, frozen=True):
    """Something that is so, or not, of an object: what Kubernetes keeps in `status.conditions`."""

    type: str
    status: bool
    reason: str = ""
    """One word for programs."""
    message: str = ""


class StatusSink(Protocol):
    """Is told about conditions of objects: `varka apply` and `varka get` show them, Kubernetes
    would keep them in the objects."""

    def report(self, conditions: Mapping[ObjectKey, tuple[Condition, ...]]) -> None:
        """The conditions of all objects that have some; those of others are gone."""
