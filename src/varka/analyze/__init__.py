"""Findings over a snapshot: one small file per rule. Reads, talks to nothing. Not written yet."""
