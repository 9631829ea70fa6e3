"""Values of protobuf's own types, and fields that only Envoy knows."""

from __future__ import annotations

from envoy.config.cluster.v3 import circuit_breaker_pb2

from varka.base.duration import Duration
from varka.envoy import wkt

BUDGET = circuit_breaker_pb2.CircuitBreakers.Thresholds.RetryBudget


def test_a_field_set_by_its_number_is_that_field() -> None:
    budget = BUDGET()
    wkt.set_unknown(
        budget, BUDGET.DESCRIPTOR.fields_by_name["min_retry_concurrency"].number, wkt.uint32(5)
    )
    assert budget.min_retry_concurrency.value == 5


def test_a_field_that_the_class_lacks_is_sent_along() -> None:
    budget = BUDGET()
    wkt.set_unknown(budget, 3, wkt.duration(Duration.parse("4s")))
    copy = BUDGET()
    copy.CopyFrom(budget)
    assert copy.SerializeToString(deterministic=True) == b"\x1a\x02\x08\x04"
