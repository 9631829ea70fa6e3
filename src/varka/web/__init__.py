"""A read-only page over the control plane's API. Not written yet."""
