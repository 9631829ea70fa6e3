"""The proxy of a pod, from the Pod object alone: no Envoy needs to run."""

from __future__ import annotations

from varka.base.names import Namespace
from varka.proxy.node import Interception, Proxy, ProxyType
from varka.resources.model.kubernetes import Pod
from varka.resources.resource import Resource

_INTERCEPTION = "sidecar.istio.io/interceptionMode"


def proxy_of_pod(pod: Resource[Pod]) -> Proxy:
    """A router when the pod's proxy runs as one (`inject.istio.io/templates: gateway`, `proxy
    router`), else a sidecar."""
    spec, status = pod.spec.spec, pod.spec.status
    arguments = [argument for container in spec.containers for argument in container.args]
    router = pod.annotations.get("inject.istio.io/templates") == "gateway" or "router" in arguments
    mode = pod.annotations.get(_INTERCEPTION, Interception.REDIRECT)
    addresses = tuple(a.ip for a in status.pod_ips) or ((status.pod_ip,) if status.pod_ip else ())
    return Proxy(
        type=ProxyType.ROUTER if router else ProxyType.SIDECAR,
        name=pod.name,
        namespace=Namespace(pod.namespace),
        addresses=addresses,
        labels=pod.labels,
        service_account=spec.service_account_name or "default",
        dns_domain=f"{pod.namespace}.svc.cluster.local",
        metadata={
            "NAMESPACE": pod.namespace,
            "LABELS": dict(pod.labels),
            "INTERCEPTION_MODE": mode,
            "NODE_NAME": spec.node_name,
        },
    )
