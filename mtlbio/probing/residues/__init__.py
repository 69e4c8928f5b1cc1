"""The trial of h_t: the same rules and tables as for a cohort, with chains for donors and residues for samples."""
