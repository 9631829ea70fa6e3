"""The embedded runtime: namespaces, capture, pods, Envoys, DNS, stand-in workloads, published
ports. Not needed on Kubernetes."""
