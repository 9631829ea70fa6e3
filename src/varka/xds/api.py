"""The control plane's HTTP API: JSON over a unix socket that only its user can open.

GET /objects?kind=K&namespace=N&name=X
    {"number", "items": [{"object", "source", "origin"}]}. Every parameter may be absent, `kind` may repeat. `object`
    is the whole manifest with creationTimestamp, `source` is file, apply or runtime, `origin` is file:line:column.
POST /objects {"texts": [[name, text], ...], "namespace"?, "wait"?, "timeout"?, "atomic"?}
    What `varka apply -o json` prints; 422 with {"diagnostics"} when a text can't be parsed.
DELETE /objects {"objects": [{"kind", "group"?, "namespace", "name"}, ...]}
    {"deleted": [...], "missing": [...]}.
PUT /runtime [manifest, ...]
    {"number", "changed": n, "diagnostics"}. The full set of objects that the embedded runtime owns (Pods with
    status.podIP and conditions, ...); what is absent is removed.
GET /proxies
    {"proxies": [{"name": "pod.ns", "id", "cluster", "istiod", "version", "subscribed": n, "synced": bool,
    "types": {"CDS": "SYNCED" | "STALE" | "NOT SENT" | "ERROR", ...}}]}.
GET /names
    {"number", "names": {host: {"ips": [...], "registry", "shortname", "namespace"}}}: what the pods' DNS answers.
GET /events?follow=1&since=SEQ
    ndjson; each event has `event`, `seq` and `time`. Without `follow` it ends with the newest one.
POST /events {"event", ...}
    Appends an event of the runtime (`restarted`, ...).
GET /status
    {"pid", "number", "xds", "proxies": n, "diagnostics"}.

Events: `ready`; `changed` {"objects": [{"kind", "namespace", "name"}], "number"} as soon as a change is in the state;
`applied` {"files", "objects", "took_ms", "acked", "bytes_sent"} when every proxy has it; `rejected` {"diagnostics"} of a
broken file, or {"proxy", "type", "resource", "error", "objects"} of a NACK; `connected` and `disconnected` {"proxy"}.
Errors are {"error": message} with status 400 (malformed), 404 (no such path) or 422.
"""
