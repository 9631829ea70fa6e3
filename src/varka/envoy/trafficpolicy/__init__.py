"""What a DestinationRule decides for one cluster, before any message is made: policy, discovery
type, load balancing."""
