"""Balancing over localities: which endpoints come first, and how traffic is shared among places."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from varka.envoy.trafficpolicy.policy import Policy
from varka.proxy.node import Locality
from varka.proxy.traits import Traits
from varka.registry.service import Endpoint, Service
from varka.resources.model import networking
from varka.resources.model.mesh import MeshConfig

NETWORK = "topology.istio.io/network"
REGION = "topology.kubernetes.io/region"
ZONE = "topology.kubernetes.io/zone"
SUBZONE = "topology.istio.io/subzone"
NODE = "kubernetes.io/hostname"

_HEAVIEST = 2**32 - 1
_SAME_ZONE = (NETWORK, REGION, ZONE)
_SAME_NODE = (NETWORK, REGION, ZONE, SUBZONE, NODE)
_DISTRIBUTIONS = {
    "PreferClose": _SAME_ZONE,
    "PreferSameZone": _SAME_ZONE,
    "PreferSameNode": _SAME_NODE,
}


class Balancing(Struct, frozen=True):
    """The locality settings that hold for a cluster. The default value means: all endpoints are
    equal."""

    distribute: tuple[networking.Distribute, ...] = ()
    failover: tuple[tuple[str, str], ...] = ()
    """Regions: (from, to)."""
    labels: tuple[str, ...] = ()
    """`failoverPriority`"""
    prioritise: bool = False
    """Nearer endpoints first: needs outlier detection (or a Service that asks for it), else nobody
    ever fails over."""
    zone_aware: networking.ZoneAwareLoadBalancerSetting | None = None

    @property
    def weighted(self) -> bool:
        """Envoy shares traffic by the weights of localities. Not by default: it would disturb
        least-request."""
        return bool(self.distribute) or (
            self.prioritise and self.zone_aware is None and bool(self.failover or self.labels)
        )

    @property
    def by_client(self) -> bool:
        """The result depends on where the client is."""
        return self.prioritise or bool(self.distribute)


class Client(Struct, frozen=True):
    """Where a client is, as far as balancing compares it with endpoints."""

    locality: Locality = Locality()
    labels: tuple[tuple[str, str], ...] = ()


ANYWHERE = Client()


class Place(Struct, frozen=True):
    """Endpoints of one locality and priority."""

    locality: Locality
    endpoints: tuple[Endpoint, ...]
    weight: int
    priority: int = 0


def sends_unhealthy(service: Service) -> bool:
    """Envoy must know of unhealthy endpoints to see when a near place can't take the traffic any
    more."""
    return service.traffic_distribution in _DISTRIBUTIONS


def balancing_of(service: Service, policy: Policy, config: MeshConfig) -> Balancing:
    """The rule's settings, else the Service's `trafficDistribution`, else the mesh's; zone
    awareness before locality."""
    own = policy.balancer
    if own is not None and own.zone_aware_lb_setting is not None:
        return _zone_aware(own.zone_aware_lb_setting)
    if own is not None and own.locality_lb_setting is not None:
        return _by_locality(own.locality_lb_setting, policy.outlier is not None)
    if labels := _DISTRIBUTIONS.get(service.traffic_distribution):
        return Balancing(labels=labels, prioritise=True)
    if config.zone_aware_lb_setting is not None:
        return _zone_aware(config.zone_aware_lb_setting)
    if config.locality_lb_setting is not None:
        return _by_locality(config.locality_lb_setting, policy.outlier is not None)
    return Balancing()


def _by_locality(setting: networking.LocalityLoadBalancerSetting, outlier: bool) -> Balancing:
    if setting.enabled is False:
        return Balancing()
    return Balancing(
        distribute=setting.distribute,
        failover=tuple((f.from_, f.to) for f in setting.failover),
        labels=() if setting.distribute else setting.failover_priority,
        prioritise=outlier and not setting.distribute,
    )


def _zone_aware(setting: networking.ZoneAwareLoadBalancerSetting) -> Balancing:
    """Off by `enabled: false` still counts as a setting: it switches Envoy's own zone awareness
    off."""
    if setting.enabled is False:
        return Balancing(zone_aware=setting)
    return Balancing(
        failover=tuple((f.from_, f.to) for f in setting.failover),
        labels=setting.failover_priority,
        prioritise=True,
        zone_aware=setting,
    )


def client_of(balancing: Balancing, traits: Traits, locality: Locality) -> Client:
    """Only what the balancing compares, so that clients elsewhere share what doesn't depend on
    it."""
    if not balancing.by_client:
        return ANYWHERE
    known = {**dict(traits.labels), **topology(locality, traits.network)}
    names = sorted({label.partition("=")[0] for label in balancing.labels})
    return Client(locality, tuple((name, known[name]) for name in names if name in known))


def topology(locality: Locality, network: str = "", node: str = "") -> dict[str, str]:
    """The labels that Istio gives every proxy and endpoint of a place."""
    values = {
        REGION: locality.region,
        ZONE: locality.zone,
        SUBZONE: locality.subzone,
        NETWORK: network,
        NODE: node,
    }
    return {name: value for name, value in values.items() if value}


def places(endpoints: Iterable[Endpoint]) -> list[Place]:
    """Endpoints by locality, in the order of its text."""
    found: dict[Locality, list[Endpoint]] = {}
    for endpoint in endpoints:
        found.setdefault(endpoint.locality, []).append(endpoint)
    return [_place(at, found[at]) for at in sorted(found, key=str)]


def _place(locality: Locality, endpoints: Sequence[Endpoint], priority: int = 0) -> Place:
    return Place(
        locality, tuple(endpoints), min(sum(e.weight or 1 for e in endpoints), _HEAVIEST), priority
    )


def spread(found: list[Place], balancing: Balancing, client: Client) -> list[Place]:
    """Places with the weights and priorities that a client gives them."""
    if balancing.distribute:
        return _distributed(found, balancing.distribute, client.locality)
    if not balancing.prioritise:
        return found
    if balancing.labels:
        found = _by_labels(found, balancing.labels, dict(client.labels))
        if not balancing.failover and balancing.zone_aware is None:
            return found
    rank = _region_rank if balancing.zone_aware is not None else _rank
    failover = dict(reversed(balancing.failover))
    return _ranked(
        found, [(p.priority, rank(p.locality, client.locality, failover)) for p in found]
    )


def _ranked(found: list[Place], ranks: list[tuple[int, int]]) -> list[Place]:
    """Priorities without gaps, as Envoy wants them, in the order of `ranks`."""
    order = {rank: index for index, rank in enumerate(sorted(set(ranks)))}
    return [replace(place, priority=order[rank]) for place, rank in zip(found, ranks, strict=True)]


def _rank(at: Locality, client: Locality, failover: Mapping[str, str]) -> int:
    """0 the same subzone, 1 zone, 2 region, 3 elsewhere; 4 elsewhere when the client's region fails
    over to another."""
    if at.region == client.region:
        if at.zone == client.zone:
            return 0 if at.subzone == client.subzone else 1
        return 2
    chosen = failover.get(client.region)
    return 3 if chosen is None or chosen == at.region else 4


def _region_rank(at: Locality, client: Locality, failover: Mapping[str, str]) -> int:
    """Envoy itself balances the zones of a region, so they must stay together."""
    if at.region == client.region:
        return 0
    return 1 if failover.get(client.region) == at.region else 2


def _distributed(
    found: list[Place], rules: tuple[networking.Distribute, ...], client: Locality
) -> list[Place]:
    """The first rule whose `from` is where the client is decides; places it doesn't name get
    nothing."""
    rule = next((rule for rule in rules if matches(client, rule.from_)), None)
    if rule is None:
        return found
    left, chosen = list(found), dict[Place, int]()
    for pattern, weight in rule.to.items():
        named = [place for place in left if matches(place.locality, pattern)]
        total = sum(place.weight for place in named)
        for place in named:
            left.remove(place)
            chosen[place] = math.ceil(place.weight * weight / total) if weight else place.weight
    return [replace(place, weight=chosen[place]) for place in found if place in chosen]


def matches(locality: Locality, pattern: str) -> bool:
    """Whether a locality is meant by `region`, `region/zone`, `region/zone/subzone`, with `*` for
    any."""
    want = Locality.parse(pattern)
    return (
        want.region in ("*", locality.region)
        and want.zone in ("*", "", locality.zone)
        and want.subzone in ("*", "", locality.subzone)
    )


class _Wanted(Struct, frozen=True):
    """`failoverPriority` with the values a client wants to see."""

    names: tuple[str, ...]
    values: Mapping[str, str] = field(default_factory=dict)

    def rank(self, labels: Mapping[str, str]) -> int:
        """0 when all labels agree; the earlier the first difference, the worse. Another network
        comes after all of one's own."""
        worst, elsewhere = len(self.names), 0
        for index, name in enumerate(self.names):
            if self.values.get(name, "") == labels.get(name, ""):
                continue
            if index == 0 and name == NETWORK:
                elsewhere = worst
                continue
            return worst - index + elsewhere
        return elsewhere


def _by_labels(
    found: list[Place], labels: tuple[str, ...], client: Mapping[str, str]
) -> list[Place]:
    """Each place split by how many of the labels its endpoints share with the client."""
    given = dict(label.split("=", 1) for label in labels if "=" in label)
    wanted = _Wanted(tuple(label.partition("=")[0] for label in labels), {**client, **given})
    parts: list[Place] = []
    ranks: list[tuple[int, int]] = []
    for place in found:
        split: dict[int, list[Endpoint]] = {}
        for endpoint in place.endpoints:
            near = topology(endpoint.locality, endpoint.network, endpoint.node)
            split.setdefault(wanted.rank({**endpoint.labels, **near}), []).append(endpoint)
        for rank in sorted(split):
            parts.append(_place(place.locality, split[rank]))
            ranks.append((0, rank))
    return _ranked(parts, ranks)
