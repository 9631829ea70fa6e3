"""Telemetry."""

from __future__ import annotations

from collections.abc import Sequence

from varka.resources.codes import Code
from varka.resources.model.telemetry import Metrics, Operation, ProviderRef, Telemetry, Tracing
from varka.resources.resource import Resource
from varka.resources.validate.cel_filter import check_filter
from varka.resources.validate.common import check_scope
from varka.resources.validate.cursor import Cursor


def validate(resource: Resource[Telemetry], here: Cursor) -> None:
    telemetry = resource.spec
    check_scope(telemetry.selector, telemetry.targetRef, telemetry.targetRefs, here)
    for place, metrics in here.each("metrics", telemetry.metrics):
        _check_metrics(metrics, place)
    if len(telemetry.tracing) > 1:
        here.at("tracing").warning(Code.TM_TRACING, "only the first tracing setting is used")
    for place, tracing in here.each("tracing", telemetry.tracing):
        _check_tracing(tracing, place)
    for place, logging in here.each("accessLogging", telemetry.access_logging):
        _check_providers(logging.providers, place)
        if logging.filter is not None:
            place.at("filter", "expression").check(
                Code.TM_PROVIDER, check_filter(logging.filter.expression)
            )


def _check_providers(providers: Sequence[ProviderRef], here: Cursor) -> None:
    for place, provider in here.each("providers", providers):
        if not provider.name:
            place.error(Code.TM_PROVIDER, "a provider needs a name")


def _check_metrics(metrics: Metrics, here: Cursor) -> None:
    _check_providers(metrics.providers, here)
    for place, override in here.each("overrides", metrics.overrides):
        for name, tag in override.tag_overrides.items():
            spot = place.at("tagOverrides", name)
            if not name:
                spot.warning(Code.TM_METRICS, "a tag needs a name")
            if tag.operation == Operation.UPSERT and not tag.value:
                spot.error(Code.TM_METRICS, "UPSERT needs a value")
            if tag.operation == Operation.REMOVE and tag.value:
                spot.error(Code.TM_METRICS, "REMOVE can't have a value")
        if override.match is not None and override.match.custom_metric == "":
            place.at("match", "customMetric").error(Code.TM_METRICS, "customMetric is empty")


def _check_tracing(tracing: Tracing, here: Cursor) -> None:
    if len(tracing.providers) > 1:
        here.at("providers").warning(Code.TM_TRACING, "only the first tracing provider is used")
    _check_providers(tracing.providers, here)
    if not 0 <= (tracing.random_sampling_percentage or 0) <= 100:
        here.at("randomSamplingPercentage").error(
            Code.TM_TRACING, "randomSamplingPercentage is not in 0..100"
        )
    for name, tag in tracing.custom_tags.items():
        place = here.at("customTags", name)
        if not name:
            place.error(Code.TM_TRACING, "a tag needs a name")
        if tag.literal is not None and not tag.literal.value:
            place.error(Code.TM_TRACING, "literal needs a value")
        if tag.header is not None and not tag.header.name:
            place.error(Code.TM_TRACING, "header needs a name")
        if tag.environment is not None and not tag.environment.name:
            place.error(Code.TM_TRACING, "environment needs a name")
