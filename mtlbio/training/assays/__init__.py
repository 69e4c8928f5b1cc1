"""Training on several assays: a network for every set of blocks, and axes that the blocks share."""
