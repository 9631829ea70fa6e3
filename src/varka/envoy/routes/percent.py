"""Istio's percentages as Envoy's FractionalPercent."""

from __future__ import annotations

from envoy.type.v3 import percent_pb2

from varka.resources.model import networking

_MILLION = percent_pb2.FractionalPercent.MILLION


def of_percent(percent: networking.Percent) -> percent_pb2.FractionalPercent:
    """Four decimals are kept."""
    return percent_pb2.FractionalPercent(numerator=int(percent.value * 10000), denominator=_MILLION)


def of_hundred(value: int) -> percent_pb2.FractionalPercent:
    return percent_pb2.FractionalPercent(numerator=value)
