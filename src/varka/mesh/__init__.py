"""Istio's semantics: which rule applies to whom. Host resolution, visibility, merging, scopes, the
snapshot. Knows no Envoy."""
