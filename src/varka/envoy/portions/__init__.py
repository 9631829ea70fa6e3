"""The portions that views are put together from: what sidecars of a scope share, what gateways
share, a workload's own inbound side, and the secrets that these name. Each is made of layers, and
a layer of encoded resources; what an unchanged group of services gives is the same layer as before.
"""
