"""DestinationRules: merging those of one host, and which one a client sees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from varka.base.memo import Memo
from varka.base.names import FieldOrigin, Hostname, Namespace, ObjectKey
from varka.mesh.hosts import is_wildcard, most_specific, resolve
from varka.mesh.model import MergedRule
from varka.registry.visibility import seen_by
from varka.resources.model import networking
from varka.resources.resource import Resource
from varka.store.state import State

Rule = Resource[networking.DestinationRule]


class ConsolidatedRule(Struct, frozen=True, eq=False):
    """One or several merged rules of a host, and whom they are for."""

    rule: MergedRule
    export_to: frozenset[str]
    """As declared, with `.` resolved; empty when nothing was declared."""
    selector: Mapping[str, str] | None


class RuleTable(Struct, frozen=True, eq=False):
    """The rules of one namespace that one circle of clients may use."""

    exact: Mapping[str, tuple[ConsolidatedRule, ...]] = field(default_factory=dict)
    wildcards: Mapping[str, tuple[ConsolidatedRule, ...]] = field(default_factory=dict)

    def find(self, host: Hostname) -> tuple[ConsolidatedRule, ...] | None:
        """None where no rule names the host; () where one does, but not for this client."""
        return most_specific(host, self.exact, self.wildcards)


NO_RULES = RuleTable()


class NamespaceRules(Struct, frozen=True, eq=False):
    """All rules of a namespace, by who may use them."""

    local: RuleTable
    """For clients in the namespace itself."""
    exported: RuleTable
    """For clients elsewhere, each with its `exportTo`; the same table where all rules are for
    both."""
    private: RuleTable
    """Those that are for the namespace alone: what clients in the root namespace find first
    there."""
    limited: bool
    """Some exported rule is for some namespaces only."""
    selectors: tuple[tuple[ObjectKey, Mapping[str, str]], ...]
    """The `workloadSelector`s, by the rule's key."""


RuleBook = Mapping[Namespace, NamespaceRules]


def take_rules(state: State, memo: Memo, default_export: tuple[str, ...], domain: str) -> RuleBook:
    grouped: dict[Namespace, list[Rule]] = {}
    for rule in state.of("DestinationRule", "networking.istio.io"):
        grouped.setdefault(Namespace(rule.key.namespace), []).append(rule)
    return {
        name: memo(namespace_rules, name, tuple(rules), default_export, domain)
        for name, rules in grouped.items()
    }


def namespace_rules(
    namespace: Namespace, rules: tuple[Rule, ...], default_export: tuple[str, ...], domain: str
) -> NamespaceRules:
    pooled = [
        _pooled(rule, domain)
        for rule in sorted(rules, key=lambda r: (r.spec.workload_selector is None, r.age))
    ]
    private = [_is_private(p, namespace, default_export) for p in pooled]
    exported = [p for p, alone in zip(pooled, private, strict=True) if not alone]
    near = [p for p in pooled if not p.export_to or seen_by(p.export_to, namespace)]
    local = _table(near)
    return NamespaceRules(
        local=local,
        exported=local if near == exported else _table(exported),
        private=_table(p for p, alone in zip(pooled, private, strict=True) if alone),
        limited=any(_is_limited(p) for p in exported),
        selectors=tuple((p.rule.sources[0], p.selector) for p in pooled if p.selector is not None),
    )


def _pooled(rule: Rule, domain: str) -> ConsolidatedRule:
    spec, namespace = rule.spec, Namespace(rule.namespace)
    selector = spec.workload_selector
    exported = (
        frozenset({str(namespace)})
        if selector
        else frozenset(str(namespace) if e == "." else e for e in spec.export_to)
    )
    host = resolve(spec.host, namespace, domain)
    merged = MergedRule(
        host,
        namespace,
        spec.traffic_policy,
        spec.subsets,
        (rule.key,),
        FieldOrigin(rule.key, ("spec", "trafficPolicy")) if spec.traffic_policy else None,
        tuple(FieldOrigin(rule.key, ("spec", "subsets", at)) for at in range(len(spec.subsets))),
        selected=selector is not None,
    )
    return ConsolidatedRule(merged, exported, selector.match_labels if selector else None)


def _is_private(
    pooled: ConsolidatedRule, namespace: Namespace, default_export: tuple[str, ...]
) -> bool:
    return pooled.export_to == {str(namespace)} if pooled.export_to else "." in default_export


def _table(pool: Iterable[ConsolidatedRule]) -> RuleTable:
    exact: dict[str, tuple[ConsolidatedRule, ...]] = {}
    wildcards: dict[str, tuple[ConsolidatedRule, ...]] = {}
    for pooled in pool:
        table = wildcards if is_wildcard(pooled.rule.host) else exact
        table[pooled.rule.host] = _added(table.get(pooled.rule.host, ()), pooled)
    return RuleTable(exact, wildcards)


def _added(
    known: tuple[ConsolidatedRule, ...], new: ConsolidatedRule
) -> tuple[ConsolidatedRule, ...]:
    """A younger rule for the same host: into every rule of the same selector that reaches the same
    namespaces or more; on its own where it reaches further."""
    result: list[ConsolidatedRule] = []
    alone = True
    for old in known:
        same, wider = (
            new.export_to == old.export_to,
            bool(old.export_to) and new.export_to > old.export_to,
        )
        if (same or wider) and not (
            old.selector is not None and new.selector is not None and old.selector != new.selector
        ):
            result.append(replace(old, rule=_merge(old.rule, new.rule)))
            alone = alone and not (same and (old.selector is None) == (new.selector is None))
        else:
            result.append(old)
    return (*result, new) if alone else tuple(result)


def _merge(old: MergedRule, new: MergedRule) -> MergedRule:
    """Subsets are appended, of two with one name the older stays; the first top-level policy
    stays."""
    subsets: dict[str, tuple[networking.Subset, FieldOrigin]] = {}
    for rule in (old, new):
        for subset, where in zip(rule.subsets, rule.subset_fields, strict=True):
            subsets.setdefault(subset.name, (subset, where))
    return replace(
        old,
        policy=old.policy or new.policy,
        policy_field=old.policy_field or new.policy_field,
        subsets=tuple(subset for subset, _ in subsets.values()),
        subset_fields=tuple(where for _, where in subsets.values()),
        sources=(*old.sources, *new.sources),
    )


def for_workload(table: RuleTable, matching: frozenset[ObjectKey]) -> RuleTable:
    """A table without the rules that select other workloads; they still hide less specific ones."""
    return _kept(table, lambda p: p.selector is None or p.rule.sources[0] in matching)


def for_client(table: RuleTable, client: Namespace) -> RuleTable:
    """A table without the rules that are not exported to a namespace; they still hide less specific
    ones."""
    return _kept(table, lambda p: not _is_limited(p) or client in p.export_to)


def rules_of(
    host: Hostname, local: RuleTable, exported: RuleTable, root: RuleTable
) -> tuple[MergedRule | None, MergedRule | None]:
    """The rule for a service: of the client's namespace, else of the service's, else of the root
    namespace. In the first that has one the most specific host counts; a rule that selects the
    client's workload comes before one for all. And the rule of that host for all, which is what
    counts for the service's own inbound side."""
    found = local.find(host)
    if found is None:
        found = exported.find(host) or root.find(host) or ()
    for_all = next((p.rule for p in reversed(found) if p.selector is None), None)
    return next((p.rule for p in found if p.selector is not None), for_all), for_all


def _is_limited(pooled: ConsolidatedRule) -> bool:
    return bool(pooled.export_to) and "*" not in pooled.export_to


def _kept(table: RuleTable, keep: Callable[[ConsolidatedRule], bool]) -> RuleTable:
    exact, wildcards = (
        {host: tuple(p for p in pool if keep(p)) for host, pool in pools.items()}
        for pools in (table.exact, table.wildcards)
    )
    return RuleTable(exact, wildcards)
