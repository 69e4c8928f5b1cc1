"""How tasks share what lies between the inputs and their heads: one scheme per file, chosen by name."""
