"""What is not in force at some proxies: resources that they rejected, patches that are set
aside."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from varka.analyze.findings import placed
from varka.analyze.provenance import made_from
from varka.base.diagnostic import Diagnostic, Origin, Severity
from varka.base.names import ObjectKey
from varka.base.plain import plain_key, some
from varka.envoy.portions.finish import SET_ASIDE
from varka.envoy.resource import View
from varka.proxy.node import Proxy
from varka.store.state import State
from varka.xds.events import Rejection
from varka.xds.hub import Hub

Plain = dict[str, Any]
Rejections = Iterable[tuple[Proxy, Rejection]]

REJECTED = "V7003"


def rejected(hub: Hub, state: State) -> list[Diagnostic]:
    """Resources that proxies have rejected and go without, each once, at the place that is
    likeliest to blame."""
    proxies: dict[tuple[ObjectKey | None, Origin | None, str, str], list[str]] = {}
    for connection in hub.connections:
        for rejection in connection.stream.refused():
            resource = rejection.resource
            key, origin = next(made_from(resource, state), (None, None))
            name = f"{resource.type.name.lower().replace('_', ' ')} {resource.name}"
            proxies.setdefault((key, origin, name, rejection.error), []).append(connection.proxy.id)
    hint = "they keep what they had before"
    return [
        Diagnostic(
            REJECTED,
            Severity.ERROR,
            f"{name} is rejected by {some(sorted(ids))}: {error}",
            origin,
            key,
            hint=hint,
        )
        for (key, origin, name, error), ids in proxies.items()
    ]


class Quarantine:
    """Of the objects of one `apply`, those that are not in force: each with the reason, its place,
    and the proxies that go without it."""

    def __init__(self, state: State, about: Collection[ObjectKey]) -> None:
        self._state, self._about = state, about
        self._entries: dict[tuple[ObjectKey, str], Plain] = {}

    def to_documents(self) -> list[Plain]:
        return list(self._entries.values())

    def reject(self, rejections: Rejections) -> list[Plain]:
        """Add the objects that a rejected resource was made from; each rejection as `varka apply`
        shows it."""
        shown = []
        for proxy, rejection in rejections:
            sources = made_from(rejection.resource, self._state)
            blamed = [(key, origin) for key, origin in sources if key in self._about]
            for key, origin in blamed:
                self._add(key, rejection.error, origin, [proxy])
            first = plain_key(blamed[0][0]) if blamed else None
            shown.append({"proxy": proxy.id, "error": rejection.error, "object": first})
        return shown

    def set_aside(self, hub: Hub) -> None:
        """Add the patches that are not applied because Envoy would reject the result."""
        proxies: dict[View, list[Proxy]] = {}
        for connection in hub.connections:
            proxies.setdefault(connection.stream.view, []).append(connection.proxy)
        for view, sharing in proxies.items():
            for problem in view.diagnostics:
                key = problem.object
                if problem.code == SET_ASIDE and key is not None and key in self._about:
                    origin = placed(problem, self._state).origin
                    self._add(key, problem.message, origin, sharing)

    def _add(
        self, key: ObjectKey, reason: str, origin: Origin | None, proxies: Iterable[Proxy]
    ) -> None:
        entry = {**plain_key(key), "reason": reason, "origin": str(origin or ""), "proxies": []}
        ids = self._entries.setdefault((key, reason), entry)["proxies"]
        ids += (proxy.id for proxy in proxies)
