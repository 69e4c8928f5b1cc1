"""AnnData, MuData, loom and 10x, in memory or on disk, and cells that become samples of donors."""
