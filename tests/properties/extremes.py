"""Values that nobody expects, and an object of each kind that reaches far into the program."""

from __future__ import annotations

from typing import Any

Plain = dict[str, Any]

ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1,
    65536,
    2**31,
    2**63,
    -(2**63) - 1,
    1.5,
    1e308,
    float("nan"),
    float("inf"),
    "",
    " ",
    "x",
    "*",
    "*.",
    ".",
    "..",
    "/",
    "a/b/c",
    "-1",
    "99999999999999999999",
    "1e400",
    "1s",
    "-5s",
    "0",
    "999999h",
    "NaN",
    "null",
    "true",
    "\u0000",
    "ä€😀",
    "\ud83d",
    "x" * 5000,
    "(",
    "[a-",
    "{}",
    "{",
    "%",
    "%REQ(",
    "10.0.0.0/33",
    "::1",
    "256.1.1.1",
    "unix:///x",
    "2020-13-45T99:99:99Z",
    [],
    {},
    [None],
    [[]],
    [{}],
    {"": ""},
    {"a": None},
    {"name": 1},
    [1, "x", {}],
)


def _object(kind: str, group: str, spec: Plain | None = None, **more: Any) -> Plain:
    metadata = {"name": kind.lower(), "namespace": "a", **more.pop("metadata", {})}
    found: Plain = {"apiVersion": group, "kind": kind, "metadata": metadata, **more}
    return found if spec is None else {**found, "spec": spec}


_POD: Plain = {
    "serviceAccountName": "x",
    "containers": [
        {
            "name": "app",
            "image": "example/app",
            "command": ["x"],
            "args": ["y"],
            "env": [{"name": "A", "value": "b"}],
            "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
            "readinessProbe": {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 1},
        }
    ],
}
_ANNOTATIONS = {
    "proxy.istio.io/config": "{concurrency: 2, proxyMetadata: {A: b}, tracing: {sampling: 5}}",
    "varka.dev/last-applied": "{}",
    "varka.dev/run.app": "x --y",
    "sidecar.istio.io/inject": "true",
    "traffic.sidecar.istio.io/includeInboundPorts": "8080,9090",
    "traffic.sidecar.istio.io/excludeOutboundIPRanges": "10.0.0.0/8",
}
_TEMPLATE: Plain = {
    "metadata": {"labels": {"app": "x", "version": "v1"}, "annotations": _ANNOTATIONS},
    "spec": _POD,
}
_MESH = """
rootNamespace: istio-system
accessLogFile: /dev/stdout
outboundTrafficPolicy: {mode: REGISTRY_ONLY}
defaultConfig: {tracing: {sampling: 10}, connectionSettings: {}}
extensionProviders: [{name: z, zipkin: {service: x.a.svc.cluster.local, port: 9411}}]
discoverySelectors: [{matchLabels: {a: b}}]
localityLbSetting: {distribute: [{from: r1/*, to: {r1/*: 100}}]}
"""
EXAMPLES: tuple[Plain, ...] = (
    _object(
        "Namespace", "v1", metadata={"namespace": "", "labels": {"istio-injection": "enabled"}}
    ),
    _object(
        "Node", "v1", metadata={"namespace": "", "labels": {"topology.kubernetes.io/region": "r1"}}
    ),
    _object("ServiceAccount", "v1"),
    _object("Secret", "v1", type="kubernetes.io/tls", data={"tls.crt": "eA==", "tls.key": "eA=="}),
    _object(
        "ConfigMap",
        "v1",
        data={"mesh": _MESH, "meshNetworks": "networks: {}"},
        metadata={"name": "istio", "namespace": "istio-system"},
    ),
    _object(
        "Service",
        "v1",
        {
            "selector": {"app": "x"},
            "clusterIP": "10.0.0.9",
            "type": "LoadBalancer",
            "externalName": "e.example.com",
            "trafficDistribution": "PreferClose",
            "ports": [
                {"name": "http", "port": 80, "targetPort": 8080, "nodePort": 30000},
                {"name": "tcp-b", "port": 90, "targetPort": "http", "appProtocol": "tcp"},
            ],
        },
        metadata={"annotations": {"networking.istio.io/exportTo": "*"}},
        status={"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}},
    ),
    _object(
        "EndpointSlice",
        "discovery.k8s.io/v1",
        addressType="IPv4",
        endpoints=[{"addresses": ["10.1.0.1"], "conditions": {"ready": True}, "nodeName": "n"}],
        ports=[{"name": "http", "port": 8080, "protocol": "TCP"}],
        metadata={"labels": {"kubernetes.io/service-name": "service"}},
    ),
    _object(
        "Endpoints",
        "v1",
        subsets=[{"addresses": [{"ip": "10.1.0.1"}], "ports": [{"port": 8080}]}],
    ),
    _object(
        "Pod",
        "v1",
        _POD,
        metadata={"labels": {"app": "x"}, "annotations": _ANNOTATIONS},
        status={
            "podIP": "10.1.0.1",
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    ),
    *(
        _object(
            kind,
            "apps/v1",
            {
                "replicas": 2,
                "serviceName": "service",
                "selector": {"matchLabels": {"app": "x"}},
                "template": _TEMPLATE,
            },
        )
        for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")
    ),
    _object("Job", "batch/v1", {"template": _TEMPLATE, "parallelism": 1}),
    _object(
        "Ingress",
        "networking.k8s.io/v1",
        {
            "ingressClassName": "istio",
            "tls": [{"hosts": ["a.com"], "secretName": "s"}],
            "rules": [
                {
                    "host": "a.com",
                    "http": {
                        "paths": [
                            {
                                "path": "/",
                                "pathType": "Prefix",
                                "backend": {"service": {"name": "x", "port": {"number": 80}}},
                            }
                        ]
                    },
                }
            ],
        },
    ),
    _object(
        "IstioOperator",
        "install.istio.io/v1alpha1",
        {
            "profile": "default",
            "meshConfig": {"accessLogFile": "/dev/stdout"},
            "values": {"global": {"meshID": "m"}},
            "components": {"egressGateways": [{"name": "x", "enabled": True}]},
        },
    ),
    _object(
        "Telemetry",
        "telemetry.istio.io/v1",
        {
            "selector": {"matchLabels": {"app": "x"}},
            "accessLogging": [{"filter": {"expression": "response.code >= 400"}}],
            "tracing": [
                {"randomSamplingPercentage": 10, "customTags": {"a": {"literal": {"value": "b"}}}}
            ],
        },
    ),
    _object(
        "ProxyConfig",
        "networking.istio.io/v1beta1",
        {
            "concurrency": 2,
            "environmentVariables": {"A": "b"},
            "selector": {"matchLabels": {"a": "b"}},
        },
    ),
    _object(
        "WorkloadGroup",
        "networking.istio.io/v1",
        {
            "template": {"serviceAccount": "x", "ports": {"http": 80}},
            "metadata": {"labels": {"a": "b"}},
        },
    ),
    _object(
        "AuthorizationPolicy",
        "security.istio.io/v1",
        {
            "action": "DENY",
            "rules": [
                {
                    "from": [{"source": {"principals": ["*"], "ipBlocks": ["10.0.0.0/8"]}}],
                    "to": [{"operation": {"paths": ["/x*"], "ports": ["80"]}}],
                    "when": [{"key": "request.headers[x]", "values": ["y"]}],
                }
            ],
        },
    ),
    _object(
        "PeerAuthentication",
        "security.istio.io/v1",
        {
            "selector": {"matchLabels": {"app": "x"}},
            "mtls": {"mode": "STRICT"},
            "portLevelMtls": {"80": {"mode": "DISABLE"}},
        },
    ),
    _object(
        "RequestAuthentication",
        "security.istio.io/v1",
        {"jwtRules": [{"issuer": "i", "jwksUri": "https://x.example.com/jwks"}]},
    ),
    _object(
        "WasmPlugin",
        "extensions.istio.io/v1alpha1",
        {"url": "oci://x/y:z", "phase": "AUTHN", "pluginConfig": {"a": [1]}},
    ),
)
