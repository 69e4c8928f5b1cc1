"""Protein chains: read, clean, label, split, cluster, simulate. The sibling of ``cohort`` for runs of kind protein."""
