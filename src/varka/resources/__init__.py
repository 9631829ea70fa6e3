"""Manifests become typed resources here: documents with positions, kinds, schemas, validation.
Talks to no one but files."""
