"""Envoy's config dump, read as plain JSON and shown as istioctl's proxy-config shows it. No
terminal: commands and pages use it."""
