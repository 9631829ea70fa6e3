"""The control plane: store, compiler, hub and server as one process, its HTTP API and what it tells
of objects, proxies and events."""
