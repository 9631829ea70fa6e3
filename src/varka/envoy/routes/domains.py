"""The `Host` headers by which clients address a service: domains of virtual hosts."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from varka.base.ip import is_ip
from varka.proxy.traits import Traits
from varka.registry.service import Registry, Resolution, Service


class Domains(Struct, frozen=True, eq=False):
    """`short` are those among `all` that are only abbreviations: another service's full name goes
    before them."""

    all: tuple[str, ...]
    short: frozenset[str] = frozenset()


class Client(Struct, frozen=True):
    """What domains depend on besides the service. Clients that are in no service's namespace are
    equal."""

    domain: str
    """In which it resolves short names; `*` in place of a namespace that does not matter."""
    ipv4: bool
    ipv6: bool
    dns_capture: bool

    def within(self, namespace: str) -> Client:
        return replace(self, domain=self.domain.replace("*", namespace))


def client_of(traits: Traits) -> Client:
    """A client of no service's namespace."""
    return Client(traits.dns_domain, traits.ipv4, traits.ipv6, traits.dns_capture)


def with_port(host: str, port: int) -> str:
    return f"{bracketed(host)}:{port}"


def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def service_domains(service: Service, aliases: Iterable[str], client: Client, port: int) -> Domains:
    """All names and addresses of a service. `port` 0 leaves the port away, for configurations that
    ignore it (`ignore_port_in_host_matching`); else each name is there with and without it, as HTTP
    proxies need."""
    full: list[str] = []
    short: list[str] = []
    for name in (service.hostname, *aliases):
        abbreviations = _expand([*_absolute(name), *_abbreviations(name, client.domain)], port)
        full += [*_expand([name], port), *abbreviations]
        short += abbreviations
    if service.resolution is Resolution.PASSTHROUGH and service.registry is Registry.KUBERNETES:
        # A headless service: its pods are names below it.
        full += [f"*.{domain}" for domain in full]
    full += _expand(addresses(service, client), port)
    return Domains(tuple(dict.fromkeys(full)), frozenset(short))


def addresses(service: Service, client: Client) -> list[str]:
    """Those a client may have resolved the service to. A ServiceEntry's explicit addresses count
    whatever their family."""
    own = [a for a in service.addresses if a not in ("", "0.0.0.0", "::")]
    if not own and client.dns_capture:
        own = list(service.auto_addresses)
    elif service.registry is not Registry.KUBERNETES:
        return own
    return [a for a in own if (client.ipv6 if ":" in a else client.ipv4)]


def _expand(names: Iterable[str], port: int) -> list[str]:
    forms = (
        (bracketed(name), with_port(name, port)) if port else (bracketed(name),) for name in names
    )
    return [form for both in forms for form in both]


def _absolute(name: str) -> list[str]:
    return [] if is_ip(name) else [f"{name}."]


def _abbreviations(host: str, domain: str) -> list[str]:
    """What `host` may be called by a client whose search domain is `domain`."""
    namespace, svc, cluster = domain.partition(".svc.")
    if svc:
        return _kubernetes(host, namespace, svc + cluster)
    own, shared = _common_suffix(host.split("."), domain.split("."))
    if not (own and shared):
        return []
    name = ".".join(own)
    return [name, f"{name}.{shared[0]}"] if len(own) == 2 else [name]


def _kubernetes(host: str, namespace: str, suffix: str) -> list[str]:
    """Only names of the form `<name>.<namespace>.svc.<cluster domain>`: others could be taken for
    them."""
    if not host.endswith(suffix):
        return []
    qualified = host.removesuffix(suffix)
    name, dot, own = qualified.partition(".")
    if not (name and dot and own):
        return []
    return (
        [name, f"{qualified}.svc", qualified]
        if own == namespace
        else [qualified, f"{qualified}.svc"]
    )


def _common_suffix(host: list[str], domain: list[str]) -> tuple[list[str], list[str]]:
    """The labels of `host` before the suffix it shares with `domain`, and that suffix."""
    count = 0
    while count < min(len(host), len(domain)) and host[-1 - count] == domain[-1 - count]:
        count += 1
    return host[: len(host) - count], host[len(host) - count :]
