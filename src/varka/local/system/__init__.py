"""What the runtime asks of the kernel: namespaces, mounts, links, nftables. Knows no pod."""
