"""Training on chains: mini-batches of residues, masked labels, one network per arm and seed."""
