"""`exportTo`: who sees an object."""

from __future__ import annotations

from collections.abc import Iterable

from varka.base.names import Namespace

EVERYWHERE = frozenset({"*"})


def export_to(
    declared: Iterable[str], namespace: Namespace, default: Iterable[str]
) -> frozenset[str]:
    """The namespaces that see an object: its own `exportTo`, else the mesh's default, else all.

    `*` swallows the rest, `~` hides from everybody, `.` is the object's own namespace.
    """
    chosen = set(declared) or set(default) or {"*"}
    if "*" in chosen:
        return EVERYWHERE
    if "~" in chosen:
        return frozenset()
    return frozenset(str(namespace) if name == "." else name for name in chosen)


def seen_by(exported: frozenset[str], namespace: Namespace) -> bool:
    return "*" in exported or namespace in exported
