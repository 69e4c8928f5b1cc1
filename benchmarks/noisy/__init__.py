"""Cohorts with shuffled labels and what the networks predict for them."""
