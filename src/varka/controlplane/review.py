"""What is wrong with objects once the proxies have them: looked for once after each push."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec import Struct

from varka.analyze.findings import findings, placed
from varka.analyze.secret_users import name_users
from varka.base.diagnostic import Diagnostic
from varka.base.names import ObjectKey
from varka.base.settings import Settings
from varka.controlplane.conditions import conditions
from varka.controlplane.options import Admit
from varka.controlplane.quarantine import rejected
from varka.store.source import StatusSink
from varka.store.state import State
from varka.xds.hub import Hub


class Review(Struct, frozen=True):
    """After a push."""

    findings: tuple[Diagnostic, ...] = ()
    """What is wrong with the objects that changed."""
    news: tuple[Diagnostic, ...] = ()
    """What can't be made for proxies of other objects, and could be at the last review."""


class Reviewer:
    """Remembers which problems are known; `sinks` are told the conditions of objects."""

    def __init__(
        self, hub: Hub, settings: Settings, admit: Admit | None, sinks: Sequence[StatusSink]
    ) -> None:
        self._hub, self._settings, self._admit, self._sinks = hub, settings, admit, sinks
        self._known = frozenset[Diagnostic]()

    def review(self, state: State, keys: Collection[ObjectKey]) -> Review:
        """Look at the views once: for the objects that changed, for conditions, for news."""
        problems = self._problems(state)
        by_object = conditions((*problems, *rejected(self._hub, state)), state)
        for sink in self._sinks:
            sink.report(by_object)
        news = tuple(placed(d, state) for d in problems if d not in self._known)
        self._known = frozenset(problems)
        return Review(tuple(self._findings(state, problems, keys)), news)

    def findings(
        self, state: State, about: Collection[ObjectKey] | None = None
    ) -> list[Diagnostic]:
        """What is wrong with objects (all, or these) beyond their form, as the connected proxies
        show it."""
        return self._findings(state, self._problems(state), about)

    def _problems(self, state: State) -> dict[Diagnostic, None]:
        """What could not be made for proxies, each once."""
        found = dict.fromkeys(d for view in self._hub.views() for d in view.diagnostics)
        return dict.fromkeys(name_users(found, state))

    def _findings(
        self, state: State, problems: Collection[Diagnostic], about: Collection[ObjectKey] | None
    ) -> list[Diagnostic]:
        labels = (connection.proxy.labels for connection in self._hub.connections)
        return [
            *findings(state, self._hub.views(), problems, labels, self._settings, about),
            *(self._admit.findings(state, about) if self._admit is not None else ()),
        ]
