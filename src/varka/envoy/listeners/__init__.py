"""Listeners: where proxies accept connections, and the filter chains that decide what becomes of
them.

What a listener holds is first planned as small values (`chains`, `merge`), equal by content, so
that scopes that see the same services share the encoded listeners. Listeners name their HTTP routes
(RDS) and never hold them, but for inbound ones whose only route is to the workload.
"""
