"""Evaluation of several assays: baselines by block, whether a block pays, and what one says of another."""
