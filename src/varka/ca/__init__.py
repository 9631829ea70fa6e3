"""Keys, certificate requests, SPIFFE identities, issue and rotation. Sees no route and no cluster.
Not written yet."""
