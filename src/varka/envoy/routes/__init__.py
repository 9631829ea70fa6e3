"""Route configurations: what requests of a sidecar or gateway meet.

Owns the translation of VirtualService `http` rules, the virtual hosts of services and their
domains, and the form in which route configurations travel (whole, or virtual host by virtual host).
Must not decide which services or rules a proxy sees: that is `mesh/`'s answer.
"""
