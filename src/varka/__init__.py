"""varka: an Istio-compatible service mesh on one machine."""

__version__ = "0.1.0"
