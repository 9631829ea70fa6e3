"""The network filters of filter chains, each a module: its name, where it is there, and its
configuration. `chain` has their order."""
