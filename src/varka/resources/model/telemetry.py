"""Messages of `istio.telemetry.v1alpha1`. Made by tools/make_models.py: change that, not this."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import field

from varka.base.duration import Duration
from varka.resources.model import selectors
from varka.resources.model.base import Model


class IstioMetric(StrEnum):
    ALL_METRICS = "ALL_METRICS"
    GRPC_REQUEST_MESSAGES = "GRPC_REQUEST_MESSAGES"
    GRPC_RESPONSE_MESSAGES = "GRPC_RESPONSE_MESSAGES"
    REQUEST_COUNT = "REQUEST_COUNT"
    REQUEST_DURATION = "REQUEST_DURATION"
    REQUEST_SIZE = "REQUEST_SIZE"
    RESPONSE_SIZE = "RESPONSE_SIZE"
    TCP_CLOSED_CONNECTIONS = "TCP_CLOSED_CONNECTIONS"
    TCP_OPENED_CONNECTIONS = "TCP_OPENED_CONNECTIONS"
    TCP_RECEIVED_BYTES = "TCP_RECEIVED_BYTES"
    TCP_SENT_BYTES = "TCP_SENT_BYTES"


class Operation(StrEnum):
    REMOVE = "REMOVE"
    UPSERT = "UPSERT"


class WorkloadMode(StrEnum):
    CLIENT = "CLIENT"
    CLIENT_AND_SERVER = "CLIENT_AND_SERVER"
    SERVER = "SERVER"


class AccessLogging(Model, frozen=True, eq=False):
    """istio.telemetry.v1alpha1.AccessLogging"""

    match: LogSelector | None = None
    providers: tuple[ProviderRef, ...] = ()
    disabled: bool | None = None
    filter: Filter | None = None


class Filter(Model, frozen=True, eq=False):
    """istio.telemetry.v1alpha1.AccessLogging.Filter"""

    expression: str = ""


class LogSelector(Model, frozen=True, eq=False):
    """istio.telemetry.v1alpha1.AccessLogging.LogSelector"""

    mode: WorkloadMode = WorkloadMode.CLIENT_AND_SERVER


class MetricSelector(Model, frozen=True, eq=False):
    """istio.telemetry.v1alpha1.MetricSelector"""

    metric: IstioMetric | None = None
    custom_metric: str | None = None
    mode: WorkloadMode = WorkloadMode.CLIENT_AND_SERVER


class Metrics(Model, frozen=True, eq=False):
    """istio.telemetry.v1alpha1.Metrics"""

    providers: tuple[ProviderRef, ...] = ()
    overrides: tuple[MetricsOverrides, ...] = ()
    reporting_interval: Duration | None = None


class MetricsOverrides(Model, frozen=True, eq=False):
    """istio.telemetry.v1alpha1.MetricsOverrides"""

    match: MetricSelector | None = None
    disabled: bool | None = None
    tag_overrides: Mapping[str, TagOverride] = field(default_factory=dict)


class TagOverride(Model, frozen=True, eq=False):
    """istio.telemetry.v1alpha1.MetricsOverrides.TagOverride"""

    operation: Operation = Operation.UPSERT
    value: str = ""


class ProviderRef(Model, frozen=True, eq=False):
    """istio.telemetry.v1alpha1.ProviderRef"""

    name: str = ""


class Telemetry(Model, frozen=True, eq=False):
    """istio.telemetry.v1alpha1.Telemetry"""

    selector: selectors.WorkloadSelector | None = None
    targetRef: selectors.PolicyTargetReference | None = None
    targetRefs: tuple[selectors.PolicyTargetReference, ...] = ()
    tracing: tuple[Tracing, ...] = ()
    metrics: tuple[Metrics, ...] = ()
    access_logging: tuple[AccessLogging, ...] = ()


class Tracing(Model, frozen=True, eq=False):
    """istio.telemetry.v1alpha1.Tracing"""

    match: TracingSelector | None = None
    providers: tuple[ProviderRef, ...] = ()
    random_sampling_percentage: float | None = None
    disable_span_reporting: bool | None = None
    custom_tags: Mapping[str, CustomTag] = field(default_factory=dict)
    use_request_id_for_trace_sampling: bool | None = None
    enable_istio_tags: bool | None = None
    disable_context_propagation: bool | None = None


class CustomTag(Model, frozen=True, eq=False):
    """istio.telemetry.v1alpha1.Tracing.CustomTag"""

    literal: Literal | None = None
    environment: Environment | None = None
    header: RequestHeader | None = None
    formatter: Formatter | None = None


class Environment(Model, frozen=True, eq=False):
    """istio.telemetry.v1alpha1.Tracing.Environment"""

    name: str = ""
    default_value: str = ""


class Formatter(Model, frozen=True, eq=False):
    """istio.telemetry.v1alpha1.Tracing.Formatter"""

    value: str = ""


class Literal(Model, frozen=True, eq=False):
    """istio.telemetry.v1alpha1.Tracing.Literal"""

    value: str = ""


class RequestHeader(Model, frozen=True, eq=False):
    """istio.telemetry.v1alpha1.Tracing.RequestHeader"""

    name: str = ""
    default_value: str = ""


class TracingSelector(Model, frozen=True, eq=False):
    """istio.telemetry.v1alpha1.Tracing.TracingSelector"""

    mode: WorkloadMode = WorkloadMode.CLIENT_AND_SERVER
