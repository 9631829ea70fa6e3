"""What a proxy logs and traces: Telemetry objects, resolved over mesh, namespace and workload."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from varka.base.names import Hostname
from varka.proxy.node import Proxy
from varka.registry.service import Service
from varka.resources.model import telemetry
from varka.resources.model.mesh import ExtensionProvider, MeshConfig
from varka.resources.model.telemetry import WorkloadMode
from varka.resources.resource import Resource


class Provider(Struct, frozen=True):
    """An extension provider with the service it names found: `host` is "" for providers without a
    service."""

    config: ExtensionProvider
    host: Hostname = Hostname("")
    port: int = 0


class AccessLog(Struct, frozen=True):
    provider: Provider
    expression: str = ""
    """CEL (`accessLogging[].filter.expression`): only what matches is logged."""


class Tracing(Struct, frozen=True):
    provider: Provider | None
    """None: spans are not reported."""
    sampling: float | None
    """Percent; None is the proxy's default (1 %)."""
    custom_tags: tuple[tuple[str, telemetry.CustomTag], ...] = ()
    use_request_id: bool = True
    service: str = ""
    """What the proxy calls itself, for tracers that do not read it from its node."""


class Telemetry(Struct, frozen=True):
    """One proxy's telemetry, equal by content. Access logs are None where neither a Telemetry nor a
    default provider says anything: then `meshConfig.accessLogFile` decides."""

    client_logs: tuple[AccessLog, ...] | None = None
    server_logs: tuple[AccessLog, ...] | None = None
    client_tracing: Tracing | None = None
    server_tracing: Tracing | None = None

    @property
    def hosts(self) -> frozenset[Hostname]:
        """The services of its providers."""
        logs = (log.provider for log in (*(self.client_logs or ()), *(self.server_logs or ())))
        traces = (
            tracing.provider for tracing in (self.client_tracing, self.server_tracing) if tracing
        )
        return frozenset(
            provider.host for provider in (*logs, *traces) if provider and provider.host
        )


Object = Resource[telemetry.Telemetry]


def names_services(objects: tuple[Object, ...], config: MeshConfig) -> bool:
    """Some provider may be asked for, so services matter."""
    defaults = config.default_providers
    return bool(objects) or bool(defaults and (defaults.access_logging or defaults.tracing))


def resolve(
    objects: Iterable[Object],
    services: Iterable[Service],
    config: MeshConfig,
    root_namespace: str,
    proxy: Proxy,
) -> Telemetry:
    """`objects` are all Telemetry objects, oldest first. A provider whose service is not known is
    left out."""
    specs = [found.spec for found in _applicable(objects, root_namespace, proxy)]
    providers = _Providers(config, services)
    return Telemetry(
        client_logs=_logs(specs, config, providers, WorkloadMode.CLIENT),
        server_logs=_logs(specs, config, providers, WorkloadMode.SERVER),
        client_tracing=_tracing(specs, config, providers, WorkloadMode.CLIENT, proxy.service),
        server_tracing=_tracing(specs, config, providers, WorkloadMode.SERVER, proxy.service),
    )


def reachable(telemetry: Telemetry, unseen: frozenset[Hostname]) -> Telemetry:
    """Without providers whose service the proxy does not see: Envoy refuses listeners that name an
    unknown cluster."""
    if not unseen:
        return telemetry

    def seen(provider: Provider) -> bool:
        return provider.host not in unseen

    def logs(given: tuple[AccessLog, ...] | None) -> tuple[AccessLog, ...] | None:
        return None if given is None else tuple(log for log in given if seen(log.provider))

    def traced(given: Tracing | None) -> Tracing | None:
        lost = given is not None and given.provider is not None and not seen(given.provider)
        return replace(given, provider=None) if given is not None and lost else given

    return Telemetry(
        logs(telemetry.client_logs),
        logs(telemetry.server_logs),
        traced(telemetry.client_tracing),
        traced(telemetry.server_tracing),
    )


class _Providers:
    """`meshConfig.extensionProviders` by name (case does not matter), with their services looked
    up."""

    def __init__(self, config: MeshConfig, services: Iterable[Service]) -> None:
        self._by_name = {p.name.lower(): p for p in reversed(config.extension_providers)}
        self._services = services

    def log(self, name: str) -> Provider | None:
        found = self._by_name.get(name.lower())
        if found is None:
            return None
        if found.envoy_file_access_log is not None:
            return Provider(found)
        service = found.envoy_http_als or found.envoy_tcp_als or found.envoy_otel_als
        return (
            self._with_service(found, service.service, service.port)
            if service is not None
            else None
        )

    def trace(self, name: str) -> Provider | None:
        found = self._by_name.get(name.lower())
        service = found and (
            found.zipkin or found.opentelemetry or found.datadog or found.skywalking
        )
        return (
            self._with_service(found, service.service, service.port) if found and service else None
        )

    def _with_service(self, provider: ExtensionProvider, name: str, port: int) -> Provider | None:
        """`name` is `[namespace/]host`; without namespace the oldest service of that host is
        meant."""
        namespace, _, host = name.rpartition("/")
        for service in self._services:
            if service.hostname == host and namespace in ("", service.namespace):
                return Provider(provider, service.hostname, port)
        return None


def _applicable(objects: Iterable[Object], root_namespace: str, proxy: Proxy) -> Iterator[Object]:
    """The root namespace's, the namespace's, the workload's: later ones override. Of several the
    oldest counts."""
    every = list(objects)

    def wide(namespace: str) -> Iterator[Object]:
        return (
            o for o in every if o.namespace == namespace and not _selector(o) and not _targets(o)
        )

    for namespace in dict.fromkeys((root_namespace, str(proxy.namespace))):
        yield from list(wide(namespace))[:1]
    own = (o for o in every if o.namespace == proxy.namespace and _selects(o, proxy))
    yield from list(own)[:1]


def _selector(found: Object) -> dict[str, str]:
    return dict(found.spec.selector.match_labels) if found.spec.selector else {}


def _targets(found: Object) -> bool:
    return bool(found.spec.targetRefs) or found.spec.targetRef is not None


def _selects(found: Object, proxy: Proxy) -> bool:
    gateway = proxy.labels.get("gateway.networking.k8s.io/gateway-name", "")
    references = (
        *found.spec.targetRefs,
        *((found.spec.targetRef,) if found.spec.targetRef else ()),
    )
    if references:
        return any(r.kind == "Gateway" and gateway and r.name == gateway for r in references)
    wanted = _selector(found)
    return bool(wanted) and all(proxy.labels.get(key) == value for key, value in wanted.items())


def _in_mode(selected: WorkloadMode | None, mode: WorkloadMode) -> bool:
    return selected in (None, WorkloadMode.CLIENT_AND_SERVER, mode)


def _logs(
    specs: list[telemetry.Telemetry], config: MeshConfig, providers: _Providers, mode: WorkloadMode
) -> tuple[AccessLog, ...] | None:
    defaults = config.default_providers.access_logging if config.default_providers else ()
    levels = [spec.access_logging for spec in specs if spec.access_logging]
    if not levels and not defaults:
        return None
    chosen = _merge_logs(levels, defaults, mode) if levels else dict.fromkeys(defaults, "")
    found = [
        (provider.config.name, AccessLog(provider, expression))
        for name, expression in chosen.items()
        if expression is not None and (provider := providers.log(name)) is not None
    ]
    if not found and not any(providers.log(name) for name in chosen):
        return None
    return tuple(log for _, log in sorted(found, key=lambda pair: pair[0]))


def _merge_logs(
    levels: list[tuple[telemetry.AccessLogging, ...]], defaults: tuple[str, ...], mode: WorkloadMode
) -> dict[str, str | None]:
    """Provider to filter expression; None is disabled. Providers named at a lower level replace
    those above."""
    in_scope: set[str] = set(defaults)
    expressions: dict[str, str] = {}
    for level in levels:
        named: set[str] = set()
        for entry in level:
            if _in_mode(entry.match.mode if entry.match else None, mode):
                names = [p.name for p in entry.providers]
                named.update(names)
                expressions.update(
                    dict.fromkeys(names, entry.filter.expression if entry.filter else "")
                )
        in_scope = named or in_scope
    chosen: dict[str, str | None] = {}
    inherited = defaults
    for entry in (entry for level in levels for entry in level):
        inherited = tuple(p.name for p in entry.providers) or inherited
        if not _in_mode(entry.match.mode if entry.match else None, mode):
            continue
        for name in inherited:
            if name in in_scope:
                chosen[name] = None if entry.disabled else expressions.get(name, "")
    return chosen


def _tracing(
    specs: list[telemetry.Telemetry],
    config: MeshConfig,
    providers: _Providers,
    mode: WorkloadMode,
    service: str,
) -> Tracing | None:
    names = config.default_providers.tracing if config.default_providers else ()
    entries = [entry for spec in specs for entry in spec.tracing]
    if not entries and not names:
        return None
    provider = providers.trace(names[0]) if names else None
    sampling: float | None = None
    tags: dict[str, telemetry.CustomTag] = {}
    disabled, use_request_id = False, True
    for entry in entries:
        if entry.providers:
            provider = providers.trace(entry.providers[0].name)
        if not _in_mode(entry.match.mode if entry.match else None, mode):
            continue
        disabled = (
            entry.disable_span_reporting if entry.disable_span_reporting is not None else disabled
        )
        sampling = (
            entry.random_sampling_percentage
            if entry.random_sampling_percentage is not None
            else sampling
        )
        tags = dict(entry.custom_tags) or tags
        use_request_id = (
            entry.use_request_id_for_trace_sampling
            if entry.use_request_id_for_trace_sampling is not None
            else use_request_id
        )
    named = provider is not None and (provider.config.opentelemetry or provider.config.datadog)
    return Tracing(
        None if disabled else provider,
        sampling,
        tuple(sorted(tags.items())),
        use_request_id,
        service if named else "",
    )
