"""Bulk samples that are mixtures of cell types whose shares are known."""

from __future__ import annotations

import numpy as np

from mtlbio.cohort.genesets import builtin_cells

CELLS = ("neutrophils", "monocytes", "T_cells", "B_cells", "NK_cells", "platelets")


def mixture(samples: int = 80, seed: int = 0, cells=CELLS, noise: float = 0.5):
    """Shares (samples, cells), log2 expression (samples, genes) and the genes' names.

    A cell's markers are 32 to 256 times as high in it as in the others; shares add up to one before logs are taken.
    """
    rng, table = np.random.default_rng(seed), builtin_cells()
    shares = rng.dirichlet(4.0 * np.linspace(3, 1, len(cells)), size=samples)
    markers = [table[kind][:15] for kind in cells]
    genes = [gene for listed in markers for gene in listed] + [f"GENE{i}" for i in range(40)]
    profiles = rng.uniform(20, 60, (len(cells), len(genes)))
    for row, listed in enumerate(markers):
        profiles[row, [genes.index(gene) for gene in listed]] *= 2.0 ** rng.uniform(5, 8, len(listed))
    return shares, np.log2(shares @ profiles) + noise * rng.normal(size=(samples, len(genes))), np.array(genes)
