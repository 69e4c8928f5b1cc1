"""Runs of real cohorts, and of parts of them, for ``benchmarks/verdicts_real.py``."""
