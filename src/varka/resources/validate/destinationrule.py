"""DestinationRule."""

from __future__ import annotations

from varka.resources.codes import Code
from varka.resources.model.networking import DestinationRule
from varka.resources.resource import Resource
from varka.resources.validate import values
from varka.resources.validate.common import check_export_to, check_labels, check_scope
from varka.resources.validate.cursor import Cursor
from varka.resources.validate.trafficpolicy import check_policy


def validate(resource: Resource[DestinationRule], here: Cursor) -> None:
    rule = resource.spec
    here.at("host").check(Code.DR_HOST, values.wildcard_domain(rule.host))
    check_policy(rule.traffic_policy, resource.namespace, here.at("trafficPolicy"))
    seen: set[str] = set()
    for place, subset in here.each("subsets", rule.subsets):
        if subset.name in seen:
            place.at("name").error(Code.DR_SUBSET, f"there are two subsets {subset.name!r}")
        seen.add(subset.name)
        place.at("name").check(Code.DR_SUBSET, values.subset_name(subset.name))
        check_labels(subset.labels, place.at("labels"))
        check_policy(subset.traffic_policy, resource.namespace, place.at("trafficPolicy"))
    check_export_to(
        rule.export_to, resource.namespace, here, own_only=rule.workload_selector is not None
    )
    check_scope(rule.workload_selector, None, (), here)
