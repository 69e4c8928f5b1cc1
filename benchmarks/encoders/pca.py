"""An encoder for ``latents.encode``: principal components of the training samples, rotated by varimax.

latents: {encode: "python pca.py {train} {test} {out}"}
"""

import sys

import anndata as ad
import numpy as np
import pandas as pd
from scipy.linalg import svd

AXES = 8


def main(train: str, test: str, out: str) -> None:
    """Fit on ``train``, encode both, write a table with a row per sample."""
    train, test = ad.read_h5ad(train), ad.read_h5ad(test)
    mean, spread = train.X.mean(axis=0), train.X.std(axis=0) + 1e-8
    weights = svd((train.X - mean) / spread, full_matrices=False)[2][:AXES].T
    weights = weights @ varimax(weights)
    both = np.concatenate([train.X, test.X])
    latents = (both - mean) / spread @ weights
    pd.DataFrame(latents, [*train.obs_names, *test.obs_names]).to_csv(out, sep="\t", index_label="sample_id")


def varimax(weights: np.ndarray, rounds: int = 200) -> np.ndarray:
    """Rotation that makes the squared weights of every axis uneven (Kaiser 1958)."""
    rotation = np.eye(weights.shape[1])
    for _ in range(rounds):
        turned = weights @ rotation
        left, _, right = svd(weights.T @ (turned**3 - turned * (turned**2).mean(axis=0)))
        rotation = left @ right
    return rotation


if __name__ == "__main__":
    main(*sys.argv[1:])
