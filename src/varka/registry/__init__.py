"""What exists in the mesh: services, their ports and protocols, the workloads and endpoints behind them. Knows no routing rule."""
