"""Istio's semantics: which rule applies to whom. Host resolution, visibility, merging, scopes; an immutable snapshot. Knows no Envoy."""
