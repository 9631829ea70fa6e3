"""Outlier detection (`trafficPolicy.outlierDetection`)."""

from __future__ import annotations

from envoy.config.cluster.v3 import outlier_detection_pb2
from envoy.config.common.matcher.v3 import matcher_pb2

from varka.envoy import wkt
from varka.envoy.clusters.builder import ClusterBuilder
from varka.resources.model import networking


def apply_outlier(
    builder: ClusterBuilder,
    outlier: networking.OutlierDetection | None,
    *,
    never_panic: bool = False,
) -> None:
    """Ejection by consecutive errors. Ejection by success rate is always off, as Istio has no
    fields for it.

    `minHealthPercent` becomes the panic threshold, 0 (off) by default: with few endpoints Envoy's
    50 % would bring ejected ones back. `never_panic`: unhealthy endpoints are sent to Envoy but
    must not be used.
    """
    if outlier is None:
        return
    target = builder.message.outlier_detection
    target.enforcing_success_rate.value = 0
    _consecutive(target, "consecutive_5xx", outlier.consecutive_5xx_errors)
    _consecutive(target, "consecutive_gateway_failure", outlier.consecutive_gateway_errors)
    if outlier.interval is not None:
        target.interval.CopyFrom(wkt.duration(outlier.interval))
    if outlier.base_ejection_time is not None:
        target.base_ejection_time.CopyFrom(wkt.duration(outlier.base_ejection_time))
    if outlier.max_ejection_percent > 0:
        target.max_ejection_percent.value = outlier.max_ejection_percent
    if outlier.split_external_local_origin_errors:
        target.split_external_local_origin_errors = True
        if outlier.consecutive_local_origin_failures:
            _consecutive(
                target,
                "consecutive_local_origin_failure",
                outlier.consecutive_local_origin_failures,
            )
        target.enforcing_local_origin_success_rate.value = 0
    builder.message.common_lb_config.healthy_panic_threshold.value = (
        0 if never_panic else outlier.min_health_percent
    )
    if outlier.outlier_detection_http_error_codes:
        builder.options.outlier_detection.error_matcher.CopyFrom(
            _errors(outlier.outlier_detection_http_error_codes)
        )


def _consecutive(
    target: outlier_detection_pb2.OutlierDetection, kind: str, count: int | None
) -> None:
    """0 errors means that this kind is not enforced."""
    if count is not None:
        getattr(target, kind).value = count
        getattr(target, "enforcing_" + kind).value = 100 if count else 0


def _errors(codes: tuple[int, ...]) -> matcher_pb2.MatchPredicate:
    """The statuses that count as errors in place of 5xx."""
    rules = []
    for code in codes:
        rule = matcher_pb2.MatchPredicate()
        header = rule.http_response_headers_match.headers.add(name=":status")
        header.string_match.exact = str(code)
        rules.append(rule)
    if len(rules) == 1:
        return rules[0]
    return matcher_pb2.MatchPredicate(or_match=matcher_pb2.MatchPredicate.MatchSet(rules=rules))
