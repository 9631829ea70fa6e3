"""AuthorizationPolicy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from varka.resources.codes import Code
from varka.resources.model.security import (
    Action,
    AuthorizationPolicy,
    Condition,
    Operation,
    Rule,
    Source,
)
from varka.resources.resource import Resource
from varka.resources.validate.attributes import check_attribute, check_values
from varka.resources.validate.common import check_scope
from varka.resources.validate.cursor import Cursor

_L4_SOURCE = (
    *("principals", "notPrincipals", "namespaces", "notNamespaces", "ipBlocks", "notIpBlocks"),
    *("remoteIpBlocks", "notRemoteIpBlocks", "serviceAccounts", "notServiceAccounts"),
)
_IDENTITY = (
    *(
        "namespaces",
        "notNamespaces",
        "serviceAccounts",
        "notServiceAccounts",
        "trustDomains",
        "notTrustDomains",
    ),
    *("principals", "notPrincipals", "requestPrincipals", "notRequestPrincipals"),
)
_IDENTITY_KEYS = (
    "source.namespace",
    "source.serviceAccount",
    "source.trustDomain",
    "source.principal",
)


def validate(resource: Resource[AuthorizationPolicy], here: Cursor) -> None:
    policy = resource.spec
    check_scope(policy.selector, policy.targetRef, policy.targetRefs, here)
    _check_action(policy, here)
    written = (resource.raw.get("spec") or {}).get("rules") or ()
    for (place, rule), raw in zip(here.each("rules", policy.rules), written, strict=False):
        _check_rule(rule, raw or {}, policy.action, place)


def _check_action(policy: AuthorizationPolicy, here: Cursor) -> None:
    if policy.action in (Action.CUSTOM, Action.DENY) and not policy.rules:
        message = f"{policy.action} without rules never happens"
        here.error(Code.AP_ACTION, message, "add an empty rule: rules: [{}] is every request")
    if policy.action == Action.CUSTOM:
        if policy.rules and (policy.provider is None or not policy.provider.name):
            here.error(Code.AP_ACTION, "CUSTOM needs provider.name")
    elif policy.provider is not None:
        here.at("provider").error(
            Code.AP_ACTION, f"provider is for action CUSTOM only, not {policy.action}"
        )


def _check_rule(rule: Rule, raw: Mapping[str, Any], action: Action, here: Cursor) -> None:
    for name in ("from", "to"):
        if raw.get(name) == []:
            here.at(name).error(Code.AP_SOURCE, f"{name} is empty", "leave it out to allow any")
    sources, operations = 0, 0
    l4_from = l4_to = False
    for place, source in here.each("from", rule.from_):
        if source.source is None:
            place.error(Code.AP_SOURCE, "source is required")
            continue
        sources += 1
        l4_from |= _check_source(source.source, action, place.at("source"))
    for place, target in here.each("to", rule.to):
        if target.operation is None:
            place.error(Code.AP_OPERATION, "operation is required")
            continue
        operations += 1
        l4_to |= _check_operation(target.operation, place.at("operation"))
    for place, condition in here.each("when", rule.when):
        _check_condition(condition, action, place)
    if action == Action.DENY and (
        (sources and not operations and not l4_from) or (operations and not l4_to)
    ):
        message = "a DENY rule with HTTP attributes only denies all traffic of TCP ports"
        here.warning(Code.AP_DENY_TCP, message, "name the ports in to.operation.ports")


def _check_source(source: Source, action: Action, here: Cursor) -> bool:
    """Whether it tells TCP connections apart, too."""
    given = {name: items for name, items in _fields(source).items() if items}
    if not given:
        here.error(Code.AP_SOURCE, "source is empty", "leave from out to allow any")
    accounts = given.keys() & {"serviceAccounts", "notServiceAccounts"}
    if accounts and given.keys() & {"principals", "notPrincipals", "namespaces", "notNamespaces"}:
        here.error(
            Code.AP_SOURCE, "serviceAccounts can't be combined with principals or namespaces"
        )
    for name, items in given.items():
        if action == Action.CUSTOM and name in _IDENTITY:
            here.at(name).error(Code.AP_SOURCE, f"{name} is not supported with action CUSTOM")
        check_values(name, items, Code.AP_SOURCE, here.at(name))
    return bool(given.keys() & set(_L4_SOURCE))


def _check_operation(operation: Operation, here: Cursor) -> bool:
    """Whether it tells TCP connections apart, too."""
    given = {name: items for name, items in _fields(operation).items() if items}
    if not given:
        here.error(Code.AP_OPERATION, "operation is empty", "leave to out to allow any")
    for name, items in given.items():
        check_values(name, items, Code.AP_OPERATION, here.at(name))
    return bool(given.keys() & {"ports", "notPorts"})


def _fields(message: Source | Operation) -> dict[str, tuple[str, ...]]:
    return {
        encoded: getattr(message, name)
        for name, encoded in zip(message.__struct_fields__, _names(message), strict=True)
    }


def _names(message: Source | Operation) -> tuple[str, ...]:
    return message.__struct_encode_fields__


def _check_condition(condition: Condition, action: Action, here: Cursor) -> None:
    key = condition.key
    if not key:
        here.error(Code.AP_CONDITION, "key is required")
        return
    if action == Action.CUSTOM and (key in _IDENTITY_KEYS or key.startswith("request.auth.")):
        here.at("key").error(Code.AP_CONDITION, f"{key} is not supported with action CUSTOM")
    if not condition.values and not condition.not_values:
        here.error(Code.AP_CONDITION, f"{key} needs values or notValues")
        return
    for field, items in (("values", condition.values), ("notValues", condition.not_values)):
        if items:
            check_attribute(key, items, Code.AP_CONDITION, here.at(field))
