"""The rows of `tests/e2e/rows`: read from their files and spelled out, without a mesh."""
