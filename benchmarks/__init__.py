"""Figures: what varka needs for how much. Not part of the product."""
