"""Encoders of chains: from the input of every residue to its surroundings-aware vector."""
