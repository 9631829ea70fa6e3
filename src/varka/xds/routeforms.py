"""The route configurations that a client has, and in which form: whole, or by virtual host."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from varka.envoy.resource import NO_FORMS, EnvoyResource, Form, Forms, form_of
from varka.xds.responses import Difference, Responses


class RouteForms:
    """A route configuration keeps the form in which a client has it, and its virtual hosts need not
    follow it again. Belongs to one stream."""

    def __init__(self, responses: Responses) -> None:
        self._responses = responses
        self.forms: Forms = NO_FORMS
        self._unconfirmed: set[str] = set()
        """Names of those that were sent for the first time and neither accepted nor rejected."""
        self.hosts_due: set[str] = set()
        """Names of those whose virtual hosts must be sent, as the client has none of them."""

    def held(self, versions: Iterable[tuple[str, str]]) -> None:
        """The client has these from an earlier stream; their version tells the form."""
        self._add((name, form_of(version)) for name, version in versions)

    def sent(self, resources: Iterable[EnvoyResource], *, hosts_follow: bool) -> None:
        """Route configurations are sent, for the first time or again."""
        new = self._add((resource.name, resource.form) for resource in resources)
        self._unconfirmed |= new
        if hosts_follow:
            self.hosts_due |= new

    def accepted(self, resources: Iterable[EnvoyResource]) -> None:
        self._unconfirmed.difference_update(resource.name for resource in resources)

    def rejected(self, name: str) -> None:
        """One that was rejected the first time it was sent is not there."""
        if name in self._unconfirmed:
            self.dropped((name,))

    def dropped(self, names: Collection[str]) -> None:
        """The client does not ask for these any more."""
        if names:
            self.forms = frozenset(kept for kept in self.forms if kept[0] not in names)
            self._unconfirmed.difference_update(names)

    def with_route(self, hosts: Difference) -> Difference:
        """The virtual hosts whose route configuration the client has: others would be lost, and
        follow it later."""
        routes = {name for name, _ in self.forms}
        if self._responses.routes(hosts) <= routes:
            return hosts
        useful = tuple(host for host in hosts.changed if host.name.partition("/")[0] in routes)
        return Difference(useful, hosts.removed, frozenset(host.name for host in useful))

    def _add(self, forms: Iterable[tuple[str, Form]]) -> set[str]:
        """The names of those that the client had not, or in another form."""
        new = frozenset(forms) - self.forms
        names = {name for name, _ in new}
        if new:
            others = frozenset(kept for kept in self.forms if kept[0] not in names)
            self.forms = self._responses.union(others, new)
        return names
