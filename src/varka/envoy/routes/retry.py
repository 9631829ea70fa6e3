"""`retries` as Envoy's RetryPolicy, with Istio's defaults."""

from __future__ import annotations

from http import HTTPStatus

from envoy.config.route.v3 import route_components_pb2 as envoy
from envoy.extensions.retry.host.previous_hosts.v3 import previous_hosts_pb2
from envoy.extensions.retry.priority.previous_priorities.v3 import previous_priorities_config_pb2

from varka.base.digits import number
from varka.envoy import wkt
from varka.resources.model import networking

_OUTBOUND = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes"
_INBOUND = "reset-before-request"
"""Such a request never reached the application, so that repeating it is safe for every method."""
_BY_STATUS = "retriable-status-codes"
_ATTEMPTS = 2
_HOST_SELECTIONS = 5
_STATUSES = frozenset(int(status) for status in HTTPStatus)


def outbound_policy(
    retries: networking.HTTPRetry | None, *, hashed: bool = False
) -> envoy.RetryPolicy | None:
    """None switches retries off (`attempts: 0`). With consistent hashing (`hashed`) a retry goes to
    the same host."""
    if retries is None:
        retries = networking.HTTPRetry(attempts=_ATTEMPTS)
    if retries.attempts <= 0:
        return None
    policy = _policy(retries, _OUTBOUND)
    policy.host_selection_retry_max_attempts = _HOST_SELECTIONS
    avoid = (
        not hashed
        if retries.retry_ignore_previous_hosts is None
        else retries.retry_ignore_previous_hosts
    )
    if avoid:
        policy.retry_host_predicate.add(
            name="envoy.retry_host_predicates.previous_hosts",
            typed_config=wkt.pack(previous_hosts_pb2.PreviousHostsPredicate()),
        )
    if retries.per_try_timeout is not None:
        policy.per_try_timeout.CopyFrom(wkt.duration(retries.per_try_timeout))
    if retries.retry_remote_localities:
        policy.retry_priority.name = "envoy.retry_priorities.previous_priorities"
        previous = previous_priorities_config_pb2.PreviousPrioritiesConfig(update_frequency=2)
        policy.retry_priority.typed_config.CopyFrom(wkt.pack(previous))
    return policy


def inbound_policy(retries: networking.HTTPRetry | None) -> envoy.RetryPolicy | None:
    """`meshConfig.defaultInboundHttpRetryPolicy`. The only host is the workload itself: just
    attempts, retryOn, backoff count."""
    if retries is None:
        retries = networking.HTTPRetry(attempts=_ATTEMPTS)
    return _policy(retries, _INBOUND) if retries.attempts > 0 else None


def _policy(retries: networking.HTTPRetry, default: str) -> envoy.RetryPolicy:
    policy = envoy.RetryPolicy(num_retries=wkt.uint32(retries.attempts), retry_on=default)
    if retries.retry_on:
        policy.retry_on, codes = _split(retries.retry_on)
        policy.retriable_status_codes.extend(codes)
    if retries.backoff is not None:
        policy.retry_back_off.base_interval.CopyFrom(wkt.duration(retries.backoff))
    return policy


def _split(retry_on: str) -> tuple[str, list[int]]:
    """Conditions and HTTP status codes of `retryOn`, which may mix both."""
    words = [word for part in retry_on.split(",") if (word := part.strip())]
    codes = [code for code in map(number, words) if code is not None and code in _STATUSES]
    conditions = [word for word in words if number(word) not in _STATUSES]
    if codes and not any(_BY_STATUS in word for word in conditions):
        conditions.append(_BY_STATUS)
    return ",".join(conditions), codes
