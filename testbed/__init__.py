"""What tests, benchmarks and tools have in common: whole meshes, one Envoy in a sandbox, and the
table of rows that traffic is compared with.

Imports the product; neither tests nor tools are imported here.
"""
