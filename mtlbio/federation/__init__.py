"""Hospitals that may not pool: one linear trunk and its heads from sums, which are all that leaves a site."""
