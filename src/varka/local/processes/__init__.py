"""Processes inside pods, and how the supervisor talks to them."""
