"""How often verdicts are wrong: planted cohorts, the truth about their dimensions, the scorer; ``grid.py`` counts."""
