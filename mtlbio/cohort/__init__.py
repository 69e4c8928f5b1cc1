"""From raw files to ``cohort.h5ad``: reading, checking, quality control, folds, planted cohorts."""
