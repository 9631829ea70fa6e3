"""What proxies don't use of the objects that they were sent: resources that they rejected, patches
that are set aside."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from varka.analyze.findings import placed
from varka.analyze.provenance import made_from
from varka.base.diagnostic import Diagnostic, Origin, Severity
from varka.base.names import ObjectKey
from varka.base.plain import plain_key, some
from varka.envoy.compiler import SET_ASIDE
from varka.proxy.node import Proxy
from varka.store.state import State
from varka.xds.events import Rejection
from varka.xds.hub import Hub

Plain = dict[str, Any]
Rejections = Iterable[tuple[Proxy, Rejection]]

REJECTED = "V7003"


def rejected(hub: Hub, state: State) -> list[Diagnostic]:
    """Resources that proxies have rejected and go without, at the place that is likeliest to
    blame."""
    proxies: dict[tuple[ObjectKey | None, Origin | None, str, str], list[str]] = {}
    for connection in hub.connections:
        for rejection in connection.stream.refused():
            key, origin = next(made_from(rejection.resource, state), (None, None))
            what = (
                f"{rejection.resource.type.name.lower().replace('_', ' ')}"
                f" {rejection.resource.name}"
            )
            proxies.setdefault((key, origin, what, rejection.error), []).append(connection.proxy.id)
    return [_rejected(*about, sorted(names)) for about, names in proxies.items()]


def _rejected(
    key: ObjectKey | None, origin: Origin | None, what: str, error: str, proxies: list[str]
) -> Diagnostic:
    message = f"{what} is rejected by {some(proxies)}: {error}"
    return Diagnostic(
        REJECTED, Severity.ERROR, message, origin, key, hint="they keep what they had before"
    )


class Quarantine:
    """Collects the objects in question, each with the reason, its place and the proxies that go
    without it."""

    def __init__(self, state: State, about: Collection[ObjectKey]) -> None:
        self._state, self._about = state, about
        self._found: dict[tuple[ObjectKey, str], Plain] = {}

    def to_documents(self) -> list[Plain]:
        return list(self._found.values())

    def reject(self, rejections: Rejections) -> list[Plain]:
        """Take the objects that a rejected resource was made from; each rejection as `varka apply`
        shows it."""
        shown = []
        for proxy, rejection in rejections:
            guilty = [
                (key, at)
                for key, at in made_from(rejection.resource, self._state)
                if key in self._about
            ]
            for key, origin in guilty:
                self._add(key, rejection.error, str(origin or ""), proxy)
            first = plain_key(guilty[0][0]) if guilty else None
            shown.append({"proxy": proxy.id, "error": rejection.error, "object": first})
        return shown

    def set_aside(self, hub: Hub) -> None:
        """Take the patches that are not applied because Envoy would reject the result."""
        for connection in hub.connections:
            for found in connection.stream.view.diagnostics:
                if (
                    found.code == SET_ASIDE
                    and found.object is not None
                    and found.object in self._about
                ):
                    origin = placed(found, self._state).origin
                    self._add(found.object, found.message, str(origin or ""), connection.proxy)

    def _add(self, key: ObjectKey, reason: str, origin: str, proxy: Proxy) -> None:
        shown = {**plain_key(key), "reason": reason, "origin": origin, "proxies": []}
        self._found.setdefault((key, reason), shown)["proxies"].append(proxy.id)
