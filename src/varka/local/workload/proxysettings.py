"""What of ProxyConfig a proxy is started with: the part that is not configured over the stream, but
by bootstrap and flags."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from varka.base.names import Namespace
from varka.local.network.capture import INBOUND_PORT, OUTBOUND_PORT
from varka.resources.validate.podannotations import PROXY_CONFIG
from varka.resources.yaml import parse_value

if TYPE_CHECKING:
    from varka.resources.model.mesh import ProxyConfig

INTERCEPTION = "sidecar.istio.io/interceptionMode"
_METADATA, _METADATA_JSON = "ISTIO_META_", "ISTIO_METAJSON_"
_SECOND = 10**9
_PORTS = (OUTBOUND_PORT, INBOUND_PORT)
Object = Mapping[str, Any]


class ProxySettings(Struct, frozen=True):
    """Proxies with equal settings are started alike; a pod with other settings than it was started
    with is replaced."""

    arguments: tuple[tuple[str, str], ...] = ()
    """Flags of Envoy's command line that replace the usual ones."""
    environment: tuple[tuple[str, str], ...] = ()
    """`proxyMetadata`: the proxy's environment; names that begin with ISTIO_META_ are metadata of
    its node."""
    runtime: tuple[tuple[str, str], ...] = ()
    service_cluster: str = ""
    tracing_service_name: str = ""
    mesh_id: str = ""
    interception: str = ""
    hold_application: bool = False
    access_log_service: str = ""
    """`host:port` of `envoyAccessLogService`."""
    ports: tuple[int, int] = _PORTS
    """Where the proxy takes outgoing and incoming connections (`proxyListenPort`,
    `proxyInboundListenPort`)."""

    @property
    def metadata(self) -> dict[str, Any]:
        """The node metadata among the environment, without their prefix."""
        metadata: dict[str, Any] = {}
        for name, value in self.environment:
            if name.startswith(_METADATA):
                metadata[name.removeprefix(_METADATA)] = value
            elif name.startswith(_METADATA_JSON):
                metadata[name.removeprefix(_METADATA_JSON)] = json.loads(value)
        return metadata

    def service_name(self, labels: Mapping[str, str], workload: str, namespace: str) -> str:
        """What the proxy calls itself in spans and to the control plane (`node.cluster`)."""
        canonical = (
            labels.get("service.istio.io/canonical-name")
            or labels.get("app.kubernetes.io/name")
            or labels.get("app")
        )
        canonical = canonical or workload
        name = self.service_cluster
        if self.tracing_service_name == "CANONICAL_NAME_ONLY":
            name = canonical
        elif self.tracing_service_name == "CANONICAL_NAME_AND_NAMESPACE":
            name = f"{canonical}.{namespace}"
        if name and name != "istio-proxy":
            return name
        return f"{labels.get('app', workload or 'istio-proxy')}.{namespace}"


PLAIN = ProxySettings()


def settings_of(config: ProxyConfig, ports: tuple[int, int] = _PORTS) -> ProxySettings:
    """Of what was said: fields that nobody set are at their zero values."""
    return ProxySettings(
        arguments=tuple(_arguments(config)),
        environment=tuple(sorted(config.proxy_metadata.items())),
        runtime=tuple(sorted(config.runtime_values.items())),
        service_cluster=config.service_cluster or "",
        tracing_service_name=str(config.tracing_service_name or ""),
        mesh_id=config.mesh_id,
        interception=str(config.interception_mode)
        if config.interception_mode != "REDIRECT"
        else "",
        hold_application=bool(config.hold_application_until_proxy_starts),
        access_log_service=config.envoy_access_log_service.address
        if config.envoy_access_log_service
        else "",
        ports=ports,
    )


def _arguments(config: ProxyConfig) -> Iterable[tuple[str, str]]:
    if config.concurrency is not None:
        yield "--concurrency", str(config.concurrency)
    if config.drain_duration is not None:
        yield "--drain-time-s", str(config.drain_duration // _SECOND)
    if config.file_flush_interval is not None:
        yield "--file-flush-interval-msec", str(config.file_flush_interval // 10**6)
    if config.file_flush_min_size_kb:
        yield "--file-flush-min-size-kb", str(config.file_flush_min_size_kb)


class Configs(Struct, frozen=True, eq=False):
    """The objects of a mesh that say something about its proxies: the ConfigMap `istio` or
    IstioOperators, ProxyConfigs."""

    mesh: tuple[Object, ...] = ()
    own: tuple[Object, ...] = ()
    _found: dict[tuple[str, str, str], ProxySettings] = field(default_factory=dict)

    def settings(
        self, namespace: str, labels: Mapping[str, str], annotations: Mapping[str, str]
    ) -> ProxySettings:
        """Of a pod; a bad annotation counts for nothing here, since its pod is not started."""
        text = annotations.get(PROXY_CONFIG, "")
        if not (self.mesh or self.own or text):
            return PLAIN
        key = (namespace, json.dumps(dict(labels), sort_keys=True) if self.own else "", text)
        if key not in self._found:
            with suppress(ValueError):
                self._found[key] = self._merged(namespace, labels, annotation(annotations))
        return self._found.get(key, PLAIN)

    def _merged(
        self, namespace: str, labels: Mapping[str, str], given: Mapping[str, Any]
    ) -> ProxySettings:
        # Most meshes say nothing here and need not load the models.
        from varka.mesh.effective_proxyconfig import effective_proxy_config
        from varka.resources.check import check_object
        from varka.resources.meshconfig import given_mesh_config
        from varka.resources.model.mesh import ProxyConfig

        mesh = given_mesh_config(next(iter(self.mesh), None))
        read = (check_object(value, "default")[0] for value in self.own)
        configs = tuple(sorted((one for one in read if one is not None), key=lambda one: one.age))
        root, base = (
            Namespace(mesh.root_namespace or "istio-system"),
            mesh.default_config or ProxyConfig(),
        )
        ports = (
            mesh.proxy_listen_port or OUTBOUND_PORT,
            mesh.proxy_inbound_listen_port or INBOUND_PORT,
        )
        return settings_of(
            effective_proxy_config(base, configs, root, Namespace(namespace), labels, given), ports
        )


def annotation(annotations: Mapping[str, str]) -> Mapping[str, Any]:
    """The annotation `proxy.istio.io/config`, a ProxyConfig in YAML. Raises ValueError when it is
    none."""
    try:
        value = parse_value(annotations.get(PROXY_CONFIG, "")) or {}
    except ValueError as error:
        raise ValueError(f"annotation {PROXY_CONFIG}: {error}") from None
    if not isinstance(value, Mapping):
        raise ValueError(f"annotation {PROXY_CONFIG}: a mapping was expected")
    return value
