"""Baselines, metrics with donor-bootstrap intervals, and paired comparisons."""
