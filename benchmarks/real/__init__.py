"""Real cohorts: predictions, verdicts against what is known, and the null of permuted outcomes."""
