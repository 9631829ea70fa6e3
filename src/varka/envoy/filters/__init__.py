"""EnvoyFilter: patches applied to encoded resources after they are compiled, resource by
resource."""
