"""What people use today, on the same cohorts and by the same scorer."""
