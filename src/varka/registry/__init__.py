"""What exists in the mesh: services, ports, protocols, workloads, endpoints. Knows no routing
rule."""
