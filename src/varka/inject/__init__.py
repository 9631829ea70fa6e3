"""Which pods get a sidecar, and why: pure decisions. Knows no HTTP server."""
