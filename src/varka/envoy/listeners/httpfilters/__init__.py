"""The HTTP filters of connection managers, each a module: its name, where it is there, and its
configuration. `chain` has their order."""
