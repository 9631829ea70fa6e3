"""A proxy as the control plane knows it: its node, what may differ between proxies (traits), the
view that equal ones share."""
