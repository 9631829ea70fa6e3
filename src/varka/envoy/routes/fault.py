"""`fault` as the per-route configuration of Envoy's fault filter."""

from __future__ import annotations

from envoy.extensions.filters.common.fault.v3 import fault_pb2 as common
from envoy.extensions.filters.http.fault.v3 import fault_pb2 as filter_

from varka.envoy import wkt
from varka.envoy.routes.percent import of_hundred, of_percent
from varka.resources.model import networking

FILTER = "envoy.filters.http.fault"
_GRPC = (
    *(
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
    ),
    *(
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
    ),
    *("INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"),
)
"""In the order of their numbers."""


def fault(injection: networking.HTTPFaultInjection) -> filter_.HTTPFault | None:
    """None when nothing of it can be injected. A fault without percentage never fires, as Istio's
    API says."""
    delay, abort = _delay(injection.delay), _abort(injection.abort)
    return filter_.HTTPFault(delay=delay, abort=abort) if delay or abort else None


def _delay(delay: networking.Delay | None) -> common.FaultDelay | None:
    if delay is None or delay.fixed_delay is None:
        return None
    share = of_percent(delay.percentage) if delay.percentage else of_hundred(delay.percent)
    return common.FaultDelay(fixed_delay=wkt.duration(delay.fixed_delay), percentage=share)


def _abort(abort: networking.Abort | None) -> filter_.FaultAbort | None:
    if abort is None:
        return None
    share = of_percent(abort.percentage) if abort.percentage else None
    if abort.http_status is not None:
        return filter_.FaultAbort(http_status=abort.http_status, percentage=share)
    if abort.grpc_status in _GRPC:
        return filter_.FaultAbort(grpc_status=_GRPC.index(abort.grpc_status), percentage=share)
    return None
