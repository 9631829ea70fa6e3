"""One pod: its namespaces, its Envoy, its programs, its probes."""
