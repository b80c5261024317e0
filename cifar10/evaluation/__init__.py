"""Measure trained networks."""
