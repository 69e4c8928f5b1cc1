"""Several assays of one cohort: which sample has which, and their features side by side."""
