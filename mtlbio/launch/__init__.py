"""What ``mtlbio run`` does before Snakemake takes over: which runs, which options, and is anything wrong with them."""
