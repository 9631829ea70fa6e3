"""Strategies of Kubernetes and Istio objects, as the plain values a manifest holds.

Names, hosts, labels and ports come from small sets, so that objects of one mesh refer to each
other. Most of what is drawn is valid; what is not is left out by `load`, as a user's mistake would
be.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Plain = dict[str, Any]
Plains = st.SearchStrategy[Plain]

NAMESPACES = ("a", "a", "b", "b", "istio-system")
ADDRESSES = ("10.1.0.1", "10.1.0.2", "10.1.0.3", "10.1.0.4", "2001:db8::1", "2001:db8::2")
HOSTS = (
    "x.a.svc.cluster.local",
    "y.b.svc.cluster.local",
    "x",
    "y",
    "api.example.com",
    "www.example.com",
)
WILDCARDS = ("*.example.com", "*.b.svc.cluster.local", "*")
PORTS = (80, 443, 3306, 8080, 9090)

namespaces = st.sampled_from(NAMESPACES)
names = st.sampled_from(("x", "y", "z"))
addresses = st.sampled_from(ADDRESSES)
ports = st.sampled_from(PORTS)
hosts = st.sampled_from(HOSTS)
any_hosts = st.sampled_from((*HOSTS, *WILDCARDS))
labels = st.dictionaries(
    st.sampled_from(("app", "version")), st.sampled_from(("x", "y", "v1")), min_size=1
)
percents = st.integers(0, 100)
durations = st.sampled_from(("1s", "250ms", "1m", "0.5s", "1h30m"))
export_to = st.sampled_from((["*"], ["."], ["a", "b"]))
localities = st.sampled_from(("r1/z1", "r1/z2", "r2", ""))
gateway_names = st.sampled_from(("mesh", "x", "a/y", "istio-system/z"))


def fields(required: Plain | None = None, /, **optional: st.SearchStrategy[Any]) -> Plains:
    return st.fixed_dictionaries(required or {}, optional=optional)


def few(
    elements: st.SearchStrategy[Any], least: int = 1, most: int = 2
) -> st.SearchStrategy[list[Any]]:
    return st.lists(elements, min_size=least, max_size=most)


def one_of_fields(**members: st.SearchStrategy[Any]) -> Plains:
    """A message with exactly one of these fields."""
    return st.one_of(*(st.fixed_dictionaries({name: value}) for name, value in members.items()))


def named_ports(entries: list[tuple[str, int, str]]) -> list[Plain]:
    unique = {number: (prefix, protocol) for prefix, number, protocol in entries}
    return [
        {"name": f"{prefix}-{number}", "number": number, "protocol": p}
        for number, (prefix, p) in unique.items()
    ]


PROTOCOLS = (
    ("http", "HTTP"),
    ("http2", "HTTP2"),
    ("grpc", "GRPC"),
    ("grpc-web", "GRPC-WEB"),
    ("tcp", "TCP"),
    ("tls", "TLS"),
    ("https", "HTTPS"),
    ("mongo", "MONGO"),
    ("mysql", "MYSQL"),
    ("redis", "REDIS"),
    ("udp", "UDP"),
    ("any", "TCP"),
)
istio_ports = few(
    st.builds(lambda p, n: (p[0], n, p[1]), st.sampled_from(PROTOCOLS), ports), 1, 3
).map(named_ports)


def item(
    kind: str, version: str, spec: Plains, names: st.SearchStrategy[str] = names, **metadata: Any
) -> Plains:
    return st.fixed_dictionaries(
        {
            "apiVersion": st.just(version),
            "kind": st.just(kind),
            "metadata": fields({"name": names, "namespace": namespaces}, **metadata),
            "spec": spec,
        }
    )


# Kubernetes


def service_ports(entries: list[Plain]) -> list[Plain]:
    return [
        {
            "name": e["name"],
            "port": e["number"],
            "targetPort": 8080 if e["number"] == 80 else e["number"],
            "protocol": "UDP" if e["protocol"] == "UDP" else "TCP",
        }
        for e in entries
    ]


service_annotations = fields(
    {},
    **{
        "networking.istio.io/exportTo": st.sampled_from((".", "*", "~", "a,b")),
        "networking.istio.io/traffic-distribution": st.sampled_from(("PreferClose", "Any")),
    },
)
service_specs = st.one_of(
    fields(
        {"ports": istio_ports.map(service_ports)},
        selector=labels,
        clusterIP=st.sampled_from(("None", "10.0.0.1", "10.0.0.2", "10.0.0.3", "2001:db8:1::1")),
        clusterIPs=st.sampled_from((["10.0.0.9", "2001:db8:1::9"],)),
        internalTrafficPolicy=st.sampled_from(("Local", "Cluster")),
        type=st.sampled_from(("ClusterIP", "NodePort", "LoadBalancer")),
        sessionAffinity=st.sampled_from(("None", "ClientIP")),
    ),
    fields(
        {
            "ports": istio_ports.map(service_ports),
            "type": st.just("ExternalName"),
            "externalName": hosts,
        }
    ),
)
services = item("Service", "v1", service_specs, annotations=service_annotations, labels=labels)


def pod(name: str, namespace: str, labels: Plain, address: str, ready: bool) -> Plain:
    container = {"name": "app", "ports": [{"containerPort": 8080, "name": "http"}]}
    status = {
        "podIP": address,
        "podIPs": [{"ip": address}],
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": str(ready)}],
    }
    metadata = {"name": f"{name}-1", "namespace": namespace, "labels": labels}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"containers": [container]},
        "status": status,
    }


pods = st.builds(pod, names, namespaces, labels, addresses, st.booleans())


def endpoint_slice(
    name: str, namespace: str, found: list[str], ready: bool, numbers: list[int]
) -> Plain:
    family = "IPv6" if found and ":" in found[0] else "IPv4"
    metadata = {
        "name": f"{name}-s",
        "namespace": namespace,
        "labels": {"kubernetes.io/service-name": name},
    }
    ends = [
        {"addresses": [a], "conditions": {"ready": ready}}
        for a in found
        if (":" in a) == (family == "IPv6")
    ]
    listed = [{"name": f"http-{number}", "port": number, "protocol": "TCP"} for number in numbers]
    head = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata}
    return {**head, "addressType": family, "endpoints": ends, "ports": listed}


endpoint_slices = st.builds(
    endpoint_slice,
    names,
    namespaces,
    few(addresses, 0, 3),
    st.booleans(),
    st.lists(ports, min_size=1, max_size=2, unique=True),
)
kubernetes_namespaces = st.builds(
    lambda name, labels: {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": labels},
    },
    namespaces,
    labels,
)

# Istio

NETWORKING = "networking.istio.io/v1"
creation = st.sampled_from(("2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"))


def istio(kind: str, spec: Plains) -> Plains:
    return item(kind, NETWORKING, spec, creationTimestamp=creation)


workload_entry_specs = fields(
    {"address": addresses},
    labels=labels,
    weight=st.integers(1, 5),
    locality=localities,
    network=st.sampled_from(("", "n1")),
    serviceAccount=names,
    ports=st.sampled_from(({"http-80": 8080}, {"tcp-3306": 3307})),
)
workload_entries = istio("WorkloadEntry", workload_entry_specs)
name_endpoints = fields(
    {"address": st.sampled_from(("one.example.net", "two.example.net"))},
    locality=localities,
    labels=labels,
)
targeted = istio_ports.map(
    lambda listed: [p | ({"targetPort": 8080} if p["number"] == 80 else {}) for p in listed]
)


def service_entry(
    resolution: str, hosts: st.SearchStrategy[Any], **optional: st.SearchStrategy[Any]
) -> Plains:
    required = {"hosts": few(hosts, 1, 3).map(lambda found: sorted(set(found))), "ports": targeted}
    return fields(
        required | {"resolution": st.just(resolution)},
        location=st.sampled_from(("MESH_EXTERNAL", "MESH_INTERNAL")),
        exportTo=st.one_of(export_to, st.just(["~"])),
        **optional,
    )


external = st.sampled_from(("api.example.com", "www.example.com", "x.a.svc.cluster.local"))
external_wild = st.sampled_from(("api.example.com", "www.example.com", "*.example.com"))
vips = st.lists(
    st.sampled_from(("240.1.0.1", "240.1.0.2", "10.9.0.0/16", "2001:db8:9::/64", "2001:db8:9::1")),
    max_size=2,
    unique=True,
)
service_entries = istio(
    "ServiceEntry",
    st.one_of(
        service_entry("NONE", external_wild, addresses=vips),
        service_entry(
            "STATIC", external, addresses=vips, endpoints=few(workload_entry_specs, 1, 3)
        ),
        service_entry(
            "STATIC", external, workloadSelector=st.fixed_dictionaries({"labels": labels})
        ),
        service_entry("DNS", external, addresses=vips, endpoints=few(name_endpoints, 1, 2)),
        service_entry("DNS", external),
        service_entry("DNS_ROUND_ROBIN", external, endpoints=few(name_endpoints, 1, 1)),
        service_entry("DYNAMIC_DNS", st.sampled_from(("*.example.com", "*.wild.example.org"))),
    ),
)

string_matches = one_of_fields(
    exact=st.sampled_from(("/a", "v", "ok")),
    prefix=st.sampled_from(("/", "/a", "/api/")),
    regex=st.sampled_from(("/x.*", "[a-z]+")),
)
header_names = st.sampled_from(("x-a", "x-b", "user-agent"))
header_edits = fields(
    set=st.dictionaries(header_names, st.sampled_from(("1", "%START_TIME%", "a b")), max_size=2),
    add=st.dictionaries(header_names, st.sampled_from(("2", "x")), max_size=2),
    remove=st.lists(header_names, max_size=2, unique=True),
)
headers = fields(request=header_edits, response=header_edits)
http_matches = fields(
    uri=string_matches,
    method=string_matches,
    authority=string_matches,
    scheme=string_matches,
    headers=st.dictionaries(header_names, st.one_of(string_matches, st.just({})), max_size=2),
    queryParams=st.dictionaries(st.sampled_from(("q", "r")), string_matches, max_size=1),
    withoutHeaders=st.dictionaries(header_names, string_matches, max_size=1),
    port=ports,
    sourceLabels=labels,
    sourceNamespace=namespaces,
    gateways=few(gateway_names),
    ignoreUriCase=st.booleans(),
    name=names,
)
subsets = st.sampled_from(("v1", "v2"))
destinations = fields(
    {"host": hosts}, subset=subsets, port=st.builds(lambda n: {"number": n}, ports)
)


def weighted(found: list[tuple[Plain, int, Plain]]) -> list[Plain]:
    return [
        {"destination": d, "weight": w + 1, **({"headers": h} if h else {})} for d, w, h in found
    ]


http_destinations = st.one_of(
    destinations.map(lambda d: [{"destination": d}]),
    few(st.tuples(destinations, percents, st.one_of(st.just({}), headers)), 2, 3).map(weighted),
)
fractions = st.fixed_dictionaries({"value": st.sampled_from((0, 0.5, 10, 100))})
delays = st.fixed_dictionaries({"fixedDelay": durations, "percentage": fractions})
http_extras = {
    "match": few(http_matches),
    "name": names,
    "timeout": durations,
    "headers": headers,
    "retries": fields(
        {"attempts": st.integers(1, 3)},
        perTryTimeout=durations,
        retryOn=st.sampled_from(("5xx", "gateway-error,503", "connect-failure")),
        retryRemoteLocalities=st.booleans(),
    ),
    "fault": st.one_of(
        fields({"delay": delays}),
        fields(
            {
                "abort": st.fixed_dictionaries(
                    {"httpStatus": st.sampled_from((400, 503)), "percentage": fractions}
                )
            },
            delay=delays,
        ),
    ),
    "corsPolicy": fields(
        allowOrigins=few(string_matches),
        allowMethods=st.just(["GET", "POST"]),
        allowHeaders=few(header_names),
        exposeHeaders=few(header_names),
        maxAge=st.just("24h"),
        allowCredentials=st.booleans(),
    ),
}
rewrites = st.one_of(
    fields({"uri": st.sampled_from(("/", "/new"))}, authority=hosts),
    fields({"authority": hosts}),
    st.just({"uriRegexRewrite": {"match": "/x/(.*)", "rewrite": "/\\1"}}),
)
redirects = fields(
    {"uri": st.sampled_from(("/there", "/"))},
    authority=hosts,
    redirectCode=st.sampled_from((301, 302, 307)),
    scheme=st.sampled_from(("https", "http")),
    port=ports,
)
direct = fields(
    {"status": st.sampled_from((200, 404, 503))}, body=one_of_fields(string=st.just("hello"))
)
mirrors = few(fields({"destination": destinations}, percentage=fractions), 1, 2)
http_routes = st.one_of(
    fields({"route": http_destinations}, **http_extras),
    fields({"route": http_destinations}, **http_extras, rewrite=rewrites, mirrors=mirrors),
    fields({"redirect": redirects}, match=few(http_matches), headers=headers),
    fields({"directResponse": direct}, match=few(http_matches)),
)
plain_destinations = st.one_of(
    destinations.map(lambda d: [{"destination": d}]),
    few(st.tuples(destinations, percents, st.just({})), 2, 2).map(weighted),
)
l4 = {
    "destinationSubnets": few(st.sampled_from(("10.0.0.0/8", "10.1.0.1", "2001:db8::/32"))),
    "port": ports,
    "sourceLabels": labels,
    "gateways": few(gateway_names),
    "sourceNamespace": namespaces,
}
tcp_routes = fields({"route": plain_destinations}, match=few(fields(**l4)))
virtual_services = istio(
    "VirtualService",
    st.builds(
        lambda head, http, tcp, sni, route: (
            head
            | ({"http": http} if http or not (tcp or sni) else {})
            | ({"tcp": tcp} if tcp else {})
            | (
                {
                    "tls": [
                        {
                            "match": [m | {"sniHosts": head["hosts"][:1]} for m in sni],
                            "route": route,
                        }
                    ]
                }
                if sni
                else {}
            )
        ),
        fields(
            {"hosts": few(any_hosts, 1, 3).map(lambda found: sorted(set(found)))},
            gateways=few(gateway_names),
            exportTo=export_to,
        ),
        few(http_routes, 0, 3),
        few(tcp_routes, 0, 2),
        few(fields(**l4), 0, 2),
        plain_destinations,
    ),
)

client_tls = st.one_of(
    fields({"mode": st.sampled_from(("DISABLE", "ISTIO_MUTUAL"))}),
    fields(
        {"mode": st.just("SIMPLE")}, sni=hosts, subjectAltNames=few(hosts), credentialName=names
    ),
    st.just({"mode": "SIMPLE", "insecureSkipVerify": True}),
    fields({"mode": st.just("SIMPLE"), "caCertificates": st.just("/etc/ca.pem")}, sni=hosts),
    st.just(
        {
            "mode": "MUTUAL",
            "clientCertificate": "/c.pem",
            "privateKey": "/k.pem",
            "caCertificates": "/ca.pem",
        }
    ),
    st.just({"mode": "MUTUAL", "credentialName": "x"}),
)
hashes = st.builds(
    lambda source, table: source | table,
    st.one_of(
        st.sampled_from(
            ({"httpHeaderName": "x-user"}, {"useSourceIp": True}, {"httpQueryParameterName": "q"})
        ),
        fields({"httpCookie": fields({"name": st.just("c"), "ttl": durations}, path=st.just("/"))}),
    ),
    st.sampled_from(({}, {"maglev": {"tableSize": 101}}, {"minimumRingSize": 64})),
)
locality_settings = st.one_of(
    st.just({"distribute": [{"from": "r1/*", "to": {"r1/z1": 80, "r2": 20}}]}),
    st.just({"failover": [{"from": "r1", "to": "r2"}]}),
    st.just({"failoverPriority": ["version", "topology.kubernetes.io/region"]}),
    st.just({"enabled": False}),
)
load_balancers = st.one_of(
    fields(
        {
            "simple": st.sampled_from(
                ("ROUND_ROBIN", "LEAST_REQUEST", "RANDOM", "PASSTHROUGH", "LEAST_CONN")
            )
        },
        localityLbSetting=locality_settings,
        warmup=fields({"duration": durations}, minimumPercent=percents, aggression=st.just(1.5)),
    ),
    st.builds(
        lambda source, rest: {"consistentHash": source, **rest},
        hashes,
        fields(localityLbSetting=locality_settings),
    ),
)
tcp_pools = fields(
    {"maxConnections": st.integers(1, 9)},
    connectTimeout=durations,
    tcpKeepalive=fields(probes=st.just(3), time=durations, interval=durations),
)
http_pools = fields(
    {"maxRetries": st.integers(0, 9)},
    http1MaxPendingRequests=st.integers(1, 9),
    http2MaxRequests=st.integers(1, 9),
    maxRequestsPerConnection=st.integers(0, 9),
    idleTimeout=durations,
    h2UpgradePolicy=st.sampled_from(("UPGRADE", "DO_NOT_UPGRADE", "DEFAULT")),
    useClientProtocol=st.booleans(),
    maxConcurrentStreams=st.integers(1, 9),
)
pools = st.one_of(fields({"tcp": tcp_pools}, http=http_pools), fields({"http": http_pools}))
outlier = fields(
    consecutive5xxErrors=st.integers(0, 9),
    consecutiveGatewayErrors=st.integers(0, 9),
    splitExternalLocalOriginErrors=st.just(True),
    consecutiveLocalOriginFailures=st.integers(0, 9),
    interval=durations,
    baseEjectionTime=durations,
    maxEjectionPercent=percents,
    minHealthPercent=percents,
)
port_policy = {
    "tls": client_tls,
    "loadBalancer": load_balancers,
    "connectionPool": pools,
    "outlierDetection": outlier,
}
level_policies = st.builds(
    lambda port, policy, tls: {"port": {"number": port}, **tls, **policy},
    ports,
    fields(**port_policy),
    fields({"tls": client_tls}),
)
wrappings = st.sampled_from(
    (
        {},
        {"proxyProtocol": {"version": "V2"}},
        {"tunnel": {"protocol": "CONNECT", "targetHost": "api.example.com", "targetPort": 443}},
    )
)
policies = st.builds(
    lambda policy, wrapping: policy | wrapping,
    fields(
        {"outlierDetection": outlier},
        **{name: strategy for name, strategy in port_policy.items() if name != "outlierDetection"},
        portLevelSettings=few(level_policies),
        retryBudget=fields(percent=percents, minRetryConcurrency=st.integers(0, 9)),
    ),
    wrappings,
)
rule_subsets = st.lists(
    fields({"name": subsets, "labels": labels}, trafficPolicy=policies),
    max_size=2,
    unique_by=lambda subset: subset["name"],
)
destination_rules = istio(
    "DestinationRule",
    fields(
        {"host": any_hosts},
        trafficPolicy=policies,
        subsets=rule_subsets,
        exportTo=export_to,
    )
    | fields(
        {
            "host": any_hosts,
            "exportTo": st.just(["."]),
            "workloadSelector": st.fixed_dictionaries({"matchLabels": labels}),
        },
        trafficPolicy=policies,
    ),
)

server_tls = st.one_of(
    fields(
        {"mode": st.just("SIMPLE"), "credentialName": names},
        minProtocolVersion=st.just("TLSV1_2"),
        maxProtocolVersion=st.just("TLSV1_3"),
    ),
    fields({"mode": st.just("MUTUAL"), "credentialName": names}, subjectAltNames=few(hosts)),
    st.just({"mode": "SIMPLE", "serverCertificate": "/c.pem", "privateKey": "/k.pem"}),
    st.sampled_from(
        ({"mode": "PASSTHROUGH"}, {"mode": "AUTO_PASSTHROUGH"}, {"mode": "ISTIO_MUTUAL"})
    ),
)
server_hosts = few(
    st.sampled_from(
        ("*", "*.example.com", "api.example.com", "a/api.example.com", "*/www.example.com", "./*")
    )
)


def server(
    port: int, name: str, protocol: str, tls: Plain | None, hosts: list[str], rest: Plain
) -> Plain:
    found = {
        "port": {"number": port, "name": name, "protocol": protocol},
        "hosts": sorted(set(hosts)),
        **rest,
    }
    return found | ({"tls": tls} if tls else {})


def servers_of(found: list[Plain]) -> list[Plain]:
    """Port names are unique in a Gateway."""
    return [
        s | {"port": s["port"] | {"name": f"{s['port']['name']}-{at}"}}
        for at, s in enumerate(found)
    ]


rest = fields(bind=st.sampled_from(("0.0.0.0", "10.1.0.1", "::")), name=names)
servers = st.one_of(
    st.builds(
        server,
        ports,
        st.just("http"),
        st.sampled_from(("HTTP", "HTTP2", "GRPC")),
        st.none(),
        server_hosts,
        rest,
    ),
    st.builds(server, ports, st.just("https"), st.just("HTTPS"), server_tls, server_hosts, rest),
    st.builds(server, ports, st.just("tls"), st.just("TLS"), server_tls, server_hosts, rest),
    st.builds(
        server,
        ports,
        st.just("tcp"),
        st.sampled_from(("TCP", "MONGO")),
        st.none(),
        server_hosts,
        rest,
    ),
    st.builds(
        server,
        ports,
        st.just("http"),
        st.just("HTTP"),
        st.just({"httpsRedirect": True}),
        server_hosts,
        rest,
    ),
)
gateways = istio(
    "Gateway",
    fields(
        {
            "servers": few(servers, 1, 3).map(servers_of),
            "selector": st.sampled_from(({"app": "x"}, {"app": "y"})),
        }
    ),
)

egress_hosts = few(
    st.sampled_from(
        (
            "./*",
            "*/*",
            "a/*",
            "b/y.b.svc.cluster.local",
            "~/*",
            "*/*.example.com",
            "*/api.example.com",
        )
    )
)
sidecar_ports = st.builds(
    lambda p, n: {"number": n, "protocol": p[1], "name": p[0]},
    st.sampled_from(PROTOCOLS[:8]),
    ports,
)
bindings = {
    "bind": st.sampled_from(("127.0.0.1", "0.0.0.0")),
    "captureMode": st.sampled_from(("DEFAULT", "IPTABLES", "NONE")),
}
egress = st.one_of(
    few(fields({"hosts": egress_hosts, "port": sidecar_ports}, **bindings)),
    st.builds(
        lambda ported, rest: [*ported, rest],
        few(fields({"hosts": egress_hosts, "port": sidecar_ports}, **bindings), 0, 1),
        fields({"hosts": egress_hosts}),
    ),
)
ingress = fields(
    {
        "port": sidecar_ports,
        "defaultEndpoint": st.sampled_from(
            ("127.0.0.1:8080", "unix:///var/run/x.sock", "0.0.0.0:9000")
        ),
    },
    **bindings,
)
sidecars = istio(
    "Sidecar",
    fields(
        {
            "outboundTrafficPolicy": st.sampled_from(
                ({"mode": "REGISTRY_ONLY"}, {"mode": "ALLOW_ANY"})
            )
        },
        workloadSelector=st.fixed_dictionaries({"labels": labels}),
        egress=egress,
        ingress=few(ingress),
        inboundConnectionPool=pools,
    ),
)

contexts = st.sampled_from(("ANY", "SIDECAR_OUTBOUND", "SIDECAR_INBOUND", "GATEWAY"))
LUA = {
    "name": "envoy.filters.http.lua",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
        "default_source_code": {"inline_string": "function envoy_on_request(h) end"},
    },
}
HCM_FILTER = {
    "listener": {
        "filterChain": {"filter": {"name": "envoy.filters.network.http_connection_manager"}}
    }
}


def patch(apply_to: str, operation: str, context: str, match: Plain, value: Plain) -> Plain:
    return {
        "applyTo": apply_to,
        "match": {"context": context, **match},
        "patch": {"operation": operation, "value": value},
    }


def extra_cluster(name: str) -> Plain:
    return {"name": name, "type": "STATIC", "connect_timeout": "1s"}


patches = st.one_of(
    st.builds(
        patch,
        st.just("HTTP_FILTER"),
        # Not ADD: it goes behind the router, here as with Istio, and Envoy refuses that.
        st.sampled_from(("INSERT_BEFORE", "INSERT_FIRST")),
        contexts,
        st.just(HCM_FILTER),
        st.just(LUA),
    ),
    st.builds(
        patch,
        st.just("CLUSTER"),
        st.just("MERGE"),
        contexts,
        st.just({}),
        st.sampled_from(({"connect_timeout": "7s"}, {"per_connection_buffer_limit_bytes": 777})),
    ),
    st.builds(
        patch,
        st.just("CLUSTER"),
        st.just("ADD"),
        contexts,
        st.just({}),
        st.builds(extra_cluster, names),
    ),
    st.builds(
        patch,
        st.just("CLUSTER"),
        st.just("REMOVE"),
        contexts,
        st.builds(lambda h: {"cluster": {"service": h}}, hosts),
        st.just({}),
    ),
    st.builds(
        patch,
        st.just("VIRTUAL_HOST"),
        st.just("MERGE"),
        contexts,
        st.just({}),
        st.just({"request_headers_to_add": [{"header": {"key": "x-p", "value": "1"}}]}),
    ),
    st.builds(
        patch,
        st.just("HTTP_ROUTE"),
        st.just("MERGE"),
        contexts,
        st.just({}),
        st.just({"route": {"timeout": "3s"}}),
    ),
    st.builds(
        patch,
        st.just("LISTENER"),
        st.just("MERGE"),
        contexts,
        st.builds(lambda n: {"listener": {"portNumber": n}}, ports),
        st.just({"per_connection_buffer_limit_bytes": 999}),
    ),
    st.builds(
        patch,
        st.just("ROUTE_CONFIGURATION"),
        st.just("MERGE"),
        contexts,
        st.just({}),
        st.just({"response_headers_to_add": [{"header": {"key": "x-r", "value": "1"}}]}),
    ),
)
envoy_filters = item(
    "EnvoyFilter",
    "networking.istio.io/v1alpha3",
    fields(
        {"configPatches": few(patches, 1, 2)},
        workloadSelector=st.fixed_dictionaries({"labels": labels}),
        priority=st.integers(-1, 1),
    ),
    creationTimestamp=creation,
)

objects = st.one_of(
    virtual_services,
    destination_rules,
    services,
    endpoint_slices,
    service_entries,
    sidecars,
    gateways,
    pods,
    workload_entries,
    envoy_filters,
    virtual_services,
    services,
    endpoint_slices,
    kubernetes_namespaces,
)


def identity(value: Plain) -> tuple[str, str, str]:
    return value["kind"], value["metadata"].get("namespace", ""), value["metadata"]["name"]


def _service(name: str, namespace: str, address: str, *numbers: tuple[str, int]) -> Plain:
    listed = [{"name": f"{prefix}-{number}", "port": number} for prefix, number in numbers]
    metadata = {"name": name, "namespace": namespace}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"clusterIP": address, "ports": listed, "selector": {"app": name}},
    }


BASE = [
    _service("x", "a", "10.0.0.1", ("http", 80), ("tcp", 3306)),
    _service("y", "b", "10.0.0.2", ("http", 80), ("grpc", 9090)),
    endpoint_slice("x", "a", ["10.1.0.1", "10.1.0.2"], True, [80]),
    endpoint_slice("y", "b", ["10.1.0.3"], True, [80, 9090]),
    pod("x", "a", {"app": "x", "version": "v1"}, "10.1.0.1", True),
    pod("y", "b", {"app": "y"}, "10.1.0.3", True),
]
"""Something to route to."""


def meshes(least: int = 3, most: int = 10) -> st.SearchStrategy[list[Plain]]:
    """Objects with different identities: those of the base, unless others were drawn in their
    place."""
    drawn = st.lists(objects, min_size=least, max_size=most, unique_by=identity)
    return drawn.map(
        lambda found: list({identity(value): value for value in (*BASE, *found)}.values())
    )


def edits(most: int = 4) -> st.SearchStrategy[list[list[Plain | int]]]:
    """Steps in the life of a mesh: an object comes or replaces its namesake, a number drops the
    object at that place."""
    return st.lists(
        st.lists(st.one_of(objects, st.integers(0, 20)), min_size=1, max_size=3),
        min_size=1,
        max_size=most,
    )
