"""What the runtime says of its pods: to the control plane Pod objects with addresses and
conditions, as a kubelet writes them; to the command line what it has to know to look into them."""

from __future__ import annotations

import json
from typing import Any

from varka.local.network.addresses import GATEWAY
from varka.local.pod.pod import Pod
from varka.local.workload.workloads import LAST_APPLIED

_OWNER_VERSIONS = {"Job": "batch/v1"}


def pod_object(pod: Pod) -> dict[str, Any]:
    """The Pod as a Kubernetes API would return it; annotation `sidecar.istio.io/status` marks an
    injected one."""
    plan = pod.plan
    annotations = dict(plan.annotations)
    if plan.owner.kind == "Pod":
        written = {
            "metadata": {"labels": plan.labels, "annotations": plan.annotations},
            "spec": plan.raw_spec,
        }
        annotations[LAST_APPLIED] = json.dumps(written)
    labels = dict(plan.labels)
    if pod.proxy == "sidecar":
        annotations["sidecar.istio.io/status"] = '{"containers":["istio-proxy"]}'
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": plan.name,
            "namespace": plan.namespace,
            "labels": labels,
            "annotations": annotations,
            "creationTimestamp": pod.created,
            "ownerReferences": _owners(pod),
        },
        "spec": {
            **plan.raw_spec,
            "nodeName": plan.node,
            "serviceAccountName": plan.service_account,
            **_name_fields(pod),
        },
        "status": _status(pod),
    }


def describe(pod: Pod) -> dict[str, Any]:
    """For the command line. `namespaces` are descriptors of process 1: none of a pod in the network
    of its node, null while they are being made."""
    space = pod.space
    namespaces = {"net": space.network, "uts": space.uts, "mnt": space.mounts} if space else None
    return {
        "name": pod.plan.name,
        "namespace": pod.plan.namespace,
        "ip": pod.ip,
        "proxy": pod.proxy,
        "ready": pod.ready and not pod.stopping,
        "waiting_for": list(pod.waiting_for),
        "owner": f"{pod.plan.owner.kind}/{pod.plan.owner.name}",
        "labels": dict(pod.plan.labels),
        "namespaces": {} if pod.plan.spec.host_network else namespaces,
        "admin": str(pod.admin) if pod.proxy != "none" else "",
        "processes": [
            {
                "role": one.role,
                "container": one.container,
                "pid": one.pid,
                "restarts": one.restarts,
                "waiting": one.waiting,
            }
            for one in pod.programs.by_container.values()
        ],
        "logs": {name: str(pod.log(name)) for name in pod.container_names},
    }


def _name_fields(pod: Pod) -> dict[str, str]:
    spec = pod.plan.spec
    return {
        key: value
        for key, value in (("hostname", spec.hostname), ("subdomain", spec.subdomain))
        if value
    }


def _owners(pod: Pod) -> list[dict[str, Any]]:
    """A Deployment owns its pods through a ReplicaSet, by whose name Istio finds the
    Deployment's."""
    owner = pod.plan.owner
    if owner.kind == "Pod":
        return []
    if owner.kind == "Deployment":
        return [_owner("apps/v1", "ReplicaSet", pod.plan.name.rpartition("-")[0])]
    return [_owner(_OWNER_VERSIONS.get(owner.kind, "apps/v1"), owner.kind, owner.name)]


def _owner(version: str, kind: str, name: str) -> dict[str, Any]:
    return {
        "apiVersion": version,
        "kind": kind,
        "name": name,
        "uid": f"{kind}/{name}",
        "controller": True,
    }


def _status(pod: Pod) -> dict[str, Any]:
    ready = pod.ready and not pod.stopping
    statuses = [_container(pod, name) for name in pod.container_names]
    done = [
        one.exit_code
        for one in pod.programs.by_container.values()
        if one.role == "workload" and one.pid == 0 and pod.plan.run_once
    ]
    phase = "Running"
    if done and all(code is not None for code in done):
        phase = "Succeeded" if not any(done) else "Failed"
        ready = False
    conditions = [{"type": kind, "status": str(ready)} for kind in ("Ready", "ContainersReady")]
    return {
        "phase": phase,
        "podIP": pod.ip,
        "podIPs": [{"ip": pod.ip}],
        "hostIP": GATEWAY,
        "startTime": pod.created,
        "conditions": [
            {"type": "PodScheduled", "status": "True"},
            {"type": "Initialized", "status": "True"},
            *conditions,
        ],
        "containerStatuses": statuses,
    }


def _container(pod: Pod, name: str) -> dict[str, Any]:
    one = pod.programs.by_container.get(name)
    status = {
        "name": name,
        "ready": pod.ready,
        "restartCount": one.restarts if one else 0,
        "started": True,
    }
    if one is None or one.pid:
        return {**status, "state": {"running": {"startedAt": pod.created}}}
    if one.waiting:
        waiting = {"reason": "CrashLoopBackOff", "message": f"exit code {one.exit_code}"}
        return {**status, "ready": False, "started": False, "state": {"waiting": waiting}}
    return {
        **status,
        "ready": False,
        "started": False,
        "state": {"terminated": {"exitCode": one.exit_code}},
    }
