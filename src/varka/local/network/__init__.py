"""Addresses of a mesh, capture by a pod's Envoy, connections over the border of the mesh."""
