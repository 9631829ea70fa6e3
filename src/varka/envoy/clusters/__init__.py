"""Clusters: what a proxy can send to, and how. Everything a DestinationRule, a Sidecar or the mesh
says of an upstream."""
