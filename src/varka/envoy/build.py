"""What everything that is compiled for a proxy may depend on, besides the objects it is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec, Self, TypeVar

from msgspec import Struct

from varka.base.memo import Memo
from varka.mesh.telemetry import Telemetry
from varka.proxy.traits import Traits
from varka.resources.model.mesh import MeshConfig

P = ParamSpec("P")
R = TypeVar("R")


class Build(Struct, frozen=True, eq=False):
    """The context of a compilation. Equal ones are one object when made by `of`, so a context is a
    cheap key of the memo."""

    memo: Memo
    """For functions that need nothing else of this: all proxies share what these make."""
    traits: Traits
    config: MeshConfig

    @classmethod
    def of(cls, memo: Memo, traits: Traits, config: MeshConfig) -> Build:
        return memo(Build, memo, traits, config)

    def once(
        self, function: Callable[Concatenate[Self, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """The result of `function(self, *args)`, remembered."""
        return self.memo(function, self, *args, **kwargs)


class ListenerBuild(Build, frozen=True, eq=False):
    """The context of listeners, which need to know what they report and to whom. What has nothing
    to report is made with `base`, so that proxies of different telemetry share it."""

    telemetry: Telemetry
    base: Build

    @classmethod
    def reporting(cls, base: Build, telemetry: Telemetry) -> ListenerBuild:
        return base.memo(_reporting, base, telemetry)


def _reporting(base: Build, telemetry: Telemetry) -> ListenerBuild:
    return ListenerBuild(base.memo, base.traits, base.config, telemetry, base)
