"""An encoder for ``latents.encode``: MOFA2 factors of the training samples, new samples projected on its weights.

    latents: {encode: "python benchmarks/encoders/mofa.py {train} {test} {out}"}

Needs ``mofapy2`` (``pip install mtlbio[bench]``). MOFA2 has no projection of its own: the factors of any sample are
the posterior mean under the fitted weights and noise, ``(W' T W + I)^-1 W' T (x - mean)`` with the noise precisions T.
"""

import argparse
import os
from contextlib import redirect_stdout

import anndata as ad
import numpy as np
import pandas as pd

AXES, ROUNDS = 8, 100


def main(train: str, test: str, out: str) -> None:
    """Fit on ``train``, project both, write a table with a row per sample."""
    fitted_on, others = ad.read_h5ad(train), ad.read_h5ad(test)
    mean, spread = fitted_on.X.mean(axis=0), fitted_on.X.std(axis=0) + 1e-8
    weights, precision = fitted((fitted_on.X - mean) / spread)
    latents = posterior_means((np.concatenate([fitted_on.X, others.X]) - mean) / spread, weights, precision)
    pd.DataFrame(latents, [*fitted_on.obs_names, *others.obs_names]).to_csv(out, sep="\t", index_label="sample_id")


def posterior_means(values: np.ndarray, weights: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """(n, factors) factors of any samples (n, genes) under fitted weights and noise."""
    projected = weights.T * precision
    return values @ np.linalg.solve(projected @ weights + np.eye(weights.shape[1]), projected).T


def fitted(values: np.ndarray, factors: int = AXES) -> tuple[np.ndarray, np.ndarray]:
    """Weights (genes, factors) and noise precisions (genes,) of MOFA2."""
    from mofapy2.run.entry_point import entry_point

    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        model = entry_point()
        model.set_data_options(scale_views=False)
        model.set_data_matrix([[values]], likelihoods=["gaussian"])
        model.set_model_options(factors=factors, spikeslab_weights=True, ard_weights=True)
        model.set_train_options(iter=ROUNDS, convergence_mode="fast", seed=0, verbose=False, quiet=True)
        model.build()
        model.run()
    weights = np.asarray(model.model.nodes["W"].getExpectations()[0]["E"])
    precision = np.asarray(model.model.nodes["Tau"].getExpectations()[0]["E"])
    return weights, np.atleast_2d(precision)[0]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("train", "test", "out"):
        parser.add_argument(name)
    main(**vars(parser.parse_args()))
