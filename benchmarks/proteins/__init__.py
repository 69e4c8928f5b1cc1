"""Protein runs: how good, and how fast."""
