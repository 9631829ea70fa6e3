"""What is sent to Envoy: encoded resources, in layers that many proxies share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from itertools import chain
from typing import Protocol

from google.protobuf.message import Message
from msgspec import Struct, field

from varka.base.diagnostic import Diagnostic
from varka.base.hashing import content_hash
from varka.base.names import FieldOrigin, ObjectKey
from varka.mesh.model import FilterPatch

_TYPES = "type.googleapis.com/envoy."


class TypeUrl(StrEnum):
    """In make-before-break order: what is named comes before what names it."""

    CLUSTER = _TYPES + "config.cluster.v3.Cluster"
    ENDPOINTS = _TYPES + "config.endpoint.v3.ClusterLoadAssignment"
    SECRET = _TYPES + "extensions.transport_sockets.tls.v3.Secret"
    LISTENER = _TYPES + "config.listener.v3.Listener"
    ROUTE = _TYPES + "config.route.v3.RouteConfiguration"
    VIRTUAL_HOST = _TYPES + "config.route.v3.VirtualHost"
    EXTENSION = _TYPES + "config.core.v3.TypedExtensionConfig"


class Form(StrEnum):
    """How a route configuration travels. Ends its version, for that is all that a client tells of
    what it brings along to a new stream."""

    WHOLE = ""
    BY_VIRTUAL_HOST = "+vhds"


Forms = frozenset[tuple[str, Form]]
"""Route configurations that a proxy has, by name. It must not see one change its form: between a
route configuration without its virtual hosts and their arrival requests go astray, and when they
travel in it again, Envoy keeps the others."""
NO_FORMS: Forms = frozenset()


def form_of(version: str) -> Form:
    return Form.BY_VIRTUAL_HOST if version.endswith(Form.BY_VIRTUAL_HOST) else Form.WHOLE


class Planned(Protocol):
    """What a resource was made from, as values: filter chains, routes, a cluster's policy. Who
    explains a resource reads these and decides nothing again."""

    @property
    def fields(self) -> tuple[FieldOrigin, ...]:
        """The fields of objects that it follows from, in the order of the resource."""
        ...


class EnvoyResource(Struct, frozen=True, eq=False):
    """One encoded resource. `body` is the serialised message (no Any around it); `version` hashes
    it, so it is stable over restarts; `origins` are the objects it was made from, most specific
    first, `patches` what changed it then."""

    type: TypeUrl
    name: str
    body: bytes
    version: str
    origins: tuple[ObjectKey, ...] = ()
    patches: tuple[FilterPatch, ...] = ()
    planned: Planned | None = None
    """As it was before `patches`; None for what no plan led to."""
    secrets: frozenset[str] = frozenset()
    """Names of the SDS resources that it asks for, whoever serves them."""
    inbound: bool = False
    """A listener that takes what comes to the workload."""

    @property
    def form(self) -> Form:
        return form_of(self.version)


def encode(
    type_: TypeUrl,
    name: str,
    message: Message,
    origins: Iterable[ObjectKey] = (),
    patches: Iterable[FilterPatch] = (),
    form: Form = Form.WHOLE,
    planned: Planned | None = None,
    *,
    secrets: frozenset[str] = frozenset(),
    inbound: bool = False,
) -> EnvoyResource:
    """Serialise a protobuf message deterministically. EnvoyFilters are its origins, too: the
    likeliest to be at fault."""
    body, patches = message.SerializeToString(deterministic=True), tuple(patches)
    made_from = dict.fromkeys((*(patch.source for patch in patches), *origins))
    return EnvoyResource(
        type_,
        name,
        body,
        content_hash(body) + form,
        tuple(made_from),
        patches,
        planned,
        secrets,
        inbound,
    )


class Layer(Struct, frozen=True, eq=False):
    """Resources of one type that change together, by name: typically those of one service
    namespace.

    Views are tuples of layers, so that a change touches one layer and all views share the others.
    Names are unique over the layers of a view.
    """

    resources: Mapping[str, EnvoyResource]

    @classmethod
    def of(cls, resources: Iterable[EnvoyResource]) -> Layer:
        return cls({r.name: r for r in resources})


Layers = tuple[Layer, ...]


class Portion(Struct, frozen=True, eq=False):
    """A part of views that some have in common: what travels in messages that are encoded once for
    all of these. The same object while nothing in it changed, so two views are compared portion by
    portion."""

    layers: Mapping[TypeUrl, Layers] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    """Names of the secrets that its resources ask for."""
    diagnostics: tuple[Diagnostic, ...] = ()
    """What could not be made for it: secrets that are missing, patches that are set aside, servers
    that conflict."""
    hits: frozenset[FilterPatch] = frozenset()
    """EnvoyFilter patches that found something to change here; one that hits in no view matches
    nothing."""

    def get(self, type_: TypeUrl, name: str) -> EnvoyResource | None:
        return next(
            (found for layer in self.layers.get(type_, ()) if (found := layer.resources.get(name))),
            None,
        )


NOTHING = Portion()


class View(Struct, frozen=True, eq=False):
    """Everything that equal proxies get. The same object while nothing in it changed.

    CLUSTER, ENDPOINTS, LISTENER and ROUTE are complete: each EDS cluster has its assignment, each
    RDS name its configuration. VIRTUAL_HOST holds those that travel alone, named `<route
    configuration>/<host>`.
    """

    shared: Portion = NOTHING
    """What all proxies of a scope have."""
    own: Portion = NOTHING
    """What few others have: a workload's inbound side."""
    secrets: Portion = NOTHING
    """What both ask for."""

    @property
    def portions(self) -> tuple[Portion, Portion, Portion]:
        return (self.shared, self.own, self.secrets)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        return tuple(dict.fromkeys(d for portion in self.portions for d in portion.diagnostics))

    @property
    def hits(self) -> frozenset[FilterPatch]:
        return self.shared.hits | self.own.hits

    def layers(self, type_: TypeUrl) -> Layers:
        return tuple(layer for portion in self.portions for layer in portion.layers.get(type_, ()))

    def get(self, type_: TypeUrl, name: str) -> EnvoyResource | None:
        return next(
            (found for portion in self.portions if (found := portion.get(type_, name))), None
        )

    def resources(self) -> Iterator[EnvoyResource]:
        """All of them."""
        return chain.from_iterable(map(self.of, TypeUrl))

    def of(self, type_: TypeUrl) -> Iterator[EnvoyResource]:
        for layer in self.layers(type_):
            yield from layer.resources.values()
