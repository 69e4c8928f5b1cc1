"""An encoder for ``latents.encode``: principal components of the training samples, rotated by varimax.

latents: {encode: "python benchmarks/encoders/pca.py {train} {test} {out}"}
"""

import argparse

import anndata as ad
import numpy as np
import pandas as pd
from scipy.linalg import svd

AXES = 8


def main(train: str, test: str, out: str) -> None:
    """Fit on ``train``, encode both, write a table with a row per sample."""
    fitted_on, others = ad.read_h5ad(train), ad.read_h5ad(test)
    mean, spread = fitted_on.X.mean(axis=0), fitted_on.X.std(axis=0) + 1e-8
    weights = svd((fitted_on.X - mean) / spread, full_matrices=False)[2][:AXES].T
    weights = weights @ varimax(weights)
    both = np.concatenate([fitted_on.X, others.X])
    latents = (both - mean) / spread @ weights
    pd.DataFrame(latents, [*fitted_on.obs_names, *others.obs_names]).to_csv(out, sep="\t", index_label="sample_id")


def varimax(weights: np.ndarray, rounds: int = 200) -> np.ndarray:
    """Rotation that makes the squared weights of every axis uneven (Kaiser 1958)."""
    rotation = np.eye(weights.shape[1])
    for _ in range(rounds):
        turned = weights @ rotation
        left, _, right = svd(weights.T @ (turned**3 - turned * (turned**2).mean(axis=0)))
        rotation = left @ right
    return rotation


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("train", "test", "out"):
        parser.add_argument(name)
    main(**vars(parser.parse_args()))
