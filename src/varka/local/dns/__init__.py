"""The mesh's DNS server."""
