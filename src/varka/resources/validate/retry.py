"""Retry policies of routes and of MeshConfig."""

from __future__ import annotations

from http import HTTPStatus

from varka.resources.codes import Code
from varka.resources.model.networking import HTTPRetry
from varka.resources.validate import values
from varka.resources.validate.cursor import Cursor

_CONDITIONS = frozenset(
    (
        *(
            "5xx",
            "gateway-error",
            "reset",
            "reset-before-request",
            "connect-failure",
            "retriable-4xx",
            "refused-stream",
        ),
        *(
            "retriable-status-codes",
            "retriable-headers",
            "envoy-ratelimited",
            "http3-post-connect-failure",
        ),
        *("cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable"),
    )
)
_STATUSES = frozenset(str(status.value) for status in HTTPStatus)


def check_retry(retry: HTTPRetry | None, here: Cursor) -> None:
    if retry is None:
        return
    if retry.attempts < 0:
        here.at("attempts").error(Code.VS_RETRY, "attempts can't be negative")
    if retry.attempts == 0 and (
        retry.per_try_timeout is not None
        or retry.retry_on
        or retry.retry_remote_localities is not None
    ):
        here.error(
            Code.VS_RETRY,
            "attempts: 0 switches retries off, the other settings have no effect",
            "set attempts",
        )
    here.at("perTryTimeout").check(Code.VS_RETRY, values.duration(retry.per_try_timeout))
    here.at("backoff").check(Code.VS_RETRY, values.duration(retry.backoff))
    for condition in retry.retry_on.split(",") if retry.retry_on else ():
        if condition not in _CONDITIONS and condition not in _STATUSES:
            here.at("retryOn").error(
                Code.VS_RETRY,
                f"{condition!r} is no retry condition",
                f"one of {', '.join(sorted(_CONDITIONS))}",
            )
