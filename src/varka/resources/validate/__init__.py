"""What Istio's admission webhook refuses or warns about, one module per kind."""
