"""Fitting many small networks at once: replicas, losses, early stopping, checkpoints."""
