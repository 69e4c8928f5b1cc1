"""Metrics, baselines and comparisons of predictions per residue; the chain is the unit of every interval."""
