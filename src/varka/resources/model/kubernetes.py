"""The parts of Kubernetes' objects that we read.

For these kinds `Resource.spec` is the model of the whole object without metadata:
`service.spec.spec.ports`, `pod.spec.status.pod_ip`, `configmap.spec.data`. Field names are
Kubernetes' in snake case; what is absent or null has its zero value. Fields that we don't read are
not here: the API server knows them, we keep them in `Resource.raw`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, field

from varka.resources.model.base import Json, Model

PortNumber = Annotated[int, Meta(ge=1, le=65535)]
OptionalPort = Annotated[int, Meta(ge=0, le=65535)]
"""0 is the same as none."""


class ObjectMeta(Model, frozen=True, eq=False):
    """Metadata of a template; objects have theirs in `Resource`."""

    name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


class LabelSelectorRequirement(Model, frozen=True, eq=False):
    key: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()


class LabelSelector(Model, frozen=True, eq=False):
    match_labels: Mapping[str, str] = field(default_factory=dict)
    match_expressions: tuple[LabelSelectorRequirement, ...] = ()


class ObjectReference(Model, frozen=True, eq=False):
    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""


class Condition(Model, frozen=True, eq=False):
    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""


# Namespace, Node


class NamespaceStatus(Model, frozen=True, eq=False):
    phase: str = ""


class Namespace(Model, frozen=True, eq=False):
    status: NamespaceStatus = NamespaceStatus()


class NodeSpec(Model, frozen=True, eq=False):
    pod_cidr: str = field(name="podCIDR", default="")
    pod_cidrs: tuple[str, ...] = field(name="podCIDRs", default=())
    provider_id: str = field(name="providerID", default="")


class NodeAddress(Model, frozen=True, eq=False):
    type: str = ""
    address: str = ""


class NodeStatus(Model, frozen=True, eq=False):
    addresses: tuple[NodeAddress, ...] = ()
    conditions: tuple[Condition, ...] = ()


class Node(Model, frozen=True, eq=False):
    """Region and zone are labels (`topology.kubernetes.io/region`)."""

    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


# Service, Endpoints, EndpointSlice


class ServicePort(Model, frozen=True, eq=False):
    name: str = ""
    port: PortNumber = 0
    target_port: OptionalPort | str | None = None
    protocol: str = "TCP"
    app_protocol: str = ""
    node_port: OptionalPort = 0


class ServiceSpec(Model, frozen=True, eq=False):
    type: str = "ClusterIP"
    cluster_ip: str = field(name="clusterIP", default="")
    cluster_ips: tuple[str, ...] = field(name="clusterIPs", default=())
    ports: tuple[ServicePort, ...] = ()
    selector: Mapping[str, str] = field(default_factory=dict)
    external_name: str = ""
    external_ips: tuple[str, ...] = field(name="externalIPs", default=())
    load_balancer_ip: str = field(name="loadBalancerIP", default="")
    publish_not_ready_addresses: bool = False
    session_affinity: str = ""
    traffic_distribution: str = ""
    internal_traffic_policy: str = ""
    external_traffic_policy: str = ""
    ip_families: tuple[str, ...] = ()
    ip_family_policy: str = ""


class LoadBalancerIngress(Model, frozen=True, eq=False):
    ip: str = ""
    hostname: str = ""


class LoadBalancerStatus(Model, frozen=True, eq=False):
    ingress: tuple[LoadBalancerIngress, ...] = ()


class ServiceStatus(Model, frozen=True, eq=False):
    load_balancer: LoadBalancerStatus = LoadBalancerStatus()


class Service(Model, frozen=True, eq=False):
    spec: ServiceSpec = ServiceSpec()
    status: ServiceStatus = ServiceStatus()


class EndpointAddress(Model, frozen=True, eq=False):
    ip: str = ""
    hostname: str = ""
    node_name: str = ""
    target_ref: ObjectReference | None = None


class EndpointPort(Model, frozen=True, eq=False):
    """A port of Endpoints or of an EndpointSlice; there `port` None means all ports."""

    name: str = ""
    port: PortNumber | None = None
    protocol: str = "TCP"
    app_protocol: str = ""


class EndpointSubset(Model, frozen=True, eq=False):
    addresses: tuple[EndpointAddress, ...] = ()
    not_ready_addresses: tuple[EndpointAddress, ...] = ()
    ports: tuple[EndpointPort, ...] = ()


class Endpoints(Model, frozen=True, eq=False):
    subsets: tuple[EndpointSubset, ...] = ()


class EndpointConditions(Model, frozen=True, eq=False):
    """None is unknown: `ready` counts as true then."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class Endpoint(Model, frozen=True, eq=False):
    addresses: tuple[str, ...] = ()
    conditions: EndpointConditions = EndpointConditions()
    hostname: str = ""
    node_name: str = ""
    zone: str = ""
    target_ref: ObjectReference | None = None


class EndpointSlice(Model, frozen=True, eq=False):
    """Its Service is named by the label `kubernetes.io/service-name`."""

    address_type: str = ""
    endpoints: tuple[Endpoint, ...] = ()
    ports: tuple[EndpointPort, ...] = ()


# Pods


class ContainerPort(Model, frozen=True, eq=False):
    name: str = ""
    container_port: PortNumber = 0
    protocol: str = "TCP"
    host_port: OptionalPort = 0


class EnvVar(Model, frozen=True, eq=False):
    name: str = ""
    value: str = ""
    value_from: Json | None = None


class EnvFromSource(Model, frozen=True, eq=False):
    prefix: str = ""
    config_map_ref: ObjectReference | None = None
    secret_ref: ObjectReference | None = None


class HTTPHeader(Model, frozen=True, eq=False):
    name: str = ""
    value: str = ""


class HTTPGetAction(Model, frozen=True, eq=False):
    path: str = ""
    port: OptionalPort | str = 0
    host: str = ""
    scheme: str = "HTTP"
    http_headers: tuple[HTTPHeader, ...] = ()


class TCPSocketAction(Model, frozen=True, eq=False):
    port: OptionalPort | str = 0
    host: str = ""


class GRPCAction(Model, frozen=True, eq=False):
    port: OptionalPort = 0
    service: str = ""


class ExecAction(Model, frozen=True, eq=False):
    command: tuple[str, ...] = ()


class Probe(Model, frozen=True, eq=False):
    http_get: HTTPGetAction | None = None
    tcp_socket: TCPSocketAction | None = None
    grpc: GRPCAction | None = None
    exec: ExecAction | None = None
    initial_delay_seconds: int = 0
    timeout_seconds: int = 1
    period_seconds: int = 10
    success_threshold: int = 1
    failure_threshold: int = 3


class Container(Model, frozen=True, eq=False):
    name: str = ""
    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    working_dir: str = ""
    ports: tuple[ContainerPort, ...] = ()
    env: tuple[EnvVar, ...] = ()
    env_from: tuple[EnvFromSource, ...] = ()
    readiness_probe: Probe | None = None
    liveness_probe: Probe | None = None
    startup_probe: Probe | None = None
    restart_policy: str = ""
    """`Always` in an init container makes it a sidecar that keeps running."""
    security_context: Json | None = None
    volume_mounts: tuple[Json, ...] = ()
    resources: Json | None = None


class PodSpec(Model, frozen=True, eq=False):
    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    service_account_name: str = ""
    node_name: str = ""
    host_network: bool = False
    hostname: str = ""
    subdomain: str = ""
    restart_policy: str = ""
    termination_grace_period_seconds: int | None = None
    security_context: Json | None = None
    volumes: tuple[Json, ...] = ()


class PodIP(Model, frozen=True, eq=False):
    ip: str = ""


class PodStatus(Model, frozen=True, eq=False):
    phase: str = ""
    pod_ip: str = field(name="podIP", default="")
    pod_ips: tuple[PodIP, ...] = field(name="podIPs", default=())
    host_ip: str = field(name="hostIP", default="")
    conditions: tuple[Condition, ...] = ()


class Pod(Model, frozen=True, eq=False):
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


# Workloads


class PodTemplate(Model, frozen=True, eq=False):
    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()


class WorkloadSpec(Model, frozen=True, eq=False):
    """What Deployments, StatefulSets, DaemonSets, ReplicaSets and Jobs have in common."""

    replicas: int | None = None
    """None is 1; a DaemonSet runs one per node."""
    selector: LabelSelector = LabelSelector()
    template: PodTemplate = PodTemplate()
    service_name: str = ""
    """StatefulSet: the headless Service that gives its Pods their names."""
    completions: int | None = None
    parallelism: int | None = None


class Deployment(Model, frozen=True, eq=False):
    spec: WorkloadSpec = WorkloadSpec()


class StatefulSet(Model, frozen=True, eq=False):
    spec: WorkloadSpec = WorkloadSpec()


class DaemonSet(Model, frozen=True, eq=False):
    spec: WorkloadSpec = WorkloadSpec()


class ReplicaSet(Model, frozen=True, eq=False):
    spec: WorkloadSpec = WorkloadSpec()


class Job(Model, frozen=True, eq=False):
    spec: WorkloadSpec = WorkloadSpec()


class JobTemplate(Model, frozen=True, eq=False):
    metadata: ObjectMeta = ObjectMeta()
    spec: WorkloadSpec = WorkloadSpec()


class CronJobSpec(Model, frozen=True, eq=False):
    schedule: str = ""
    job_template: JobTemplate = JobTemplate()


class CronJob(Model, frozen=True, eq=False):
    spec: CronJobSpec = CronJobSpec()


# Configuration


class ConfigMap(Model, frozen=True, eq=False):
    data: Mapping[str, str] = field(default_factory=dict)
    binary_data: Mapping[str, bytes] = field(default_factory=dict)


class Secret(Model, frozen=True, eq=False):
    """`data` is decoded from base64; `string_data` overrides it, as the API server does on
    writing."""

    type: str = "Opaque"
    data: Mapping[str, bytes] = field(default_factory=dict)
    string_data: Mapping[str, str] = field(default_factory=dict)


class ServiceAccount(Model, frozen=True, eq=False):
    secrets: tuple[ObjectReference, ...] = ()
    automount_service_account_token: bool | None = None


# Ingress


class ServiceBackendPort(Model, frozen=True, eq=False):
    name: str = ""
    number: int = 0


class IngressServiceBackend(Model, frozen=True, eq=False):
    name: str = ""
    port: ServiceBackendPort = ServiceBackendPort()


class IngressBackend(Model, frozen=True, eq=False):
    service: IngressServiceBackend | None = None
    resource: Json | None = None


class HTTPIngressPath(Model, frozen=True, eq=False):
    path: str = ""
    path_type: str = ""
    backend: IngressBackend = IngressBackend()


class HTTPIngressRuleValue(Model, frozen=True, eq=False):
    paths: tuple[HTTPIngressPath, ...] = ()


class IngressRule(Model, frozen=True, eq=False):
    host: str = ""
    http: HTTPIngressRuleValue | None = None


class IngressTLS(Model, frozen=True, eq=False):
    hosts: tuple[str, ...] = ()
    secret_name: str = ""


class IngressSpec(Model, frozen=True, eq=False):
    ingress_class_name: str | None = None
    default_backend: IngressBackend | None = None
    tls: tuple[IngressTLS, ...] = ()
    rules: tuple[IngressRule, ...] = ()


class IngressStatus(Model, frozen=True, eq=False):
    load_balancer: LoadBalancerStatus = LoadBalancerStatus()


class Ingress(Model, frozen=True, eq=False):
    spec: IngressSpec = IngressSpec()
    status: IngressStatus = IngressStatus()


class IngressClassSpec(Model, frozen=True, eq=False):
    controller: str = ""
    parameters: Json | None = None


class IngressClass(Model, frozen=True, eq=False):
    spec: IngressClassSpec = IngressClassSpec()
