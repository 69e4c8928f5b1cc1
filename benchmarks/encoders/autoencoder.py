"""An encoder for ``latents.encode``: an autoencoder of one hidden layer, trained on the training samples.

latents: {encode: "python benchmarks/encoders/autoencoder.py {train} {test} {out}"}
"""

import argparse

import anndata as ad
import numpy as np
import pandas as pd
import torch
from torch import nn

AXES, HIDDEN, EPOCHS = 8, 64, 300


def main(train: str, test: str, out: str) -> None:
    """Fit on ``train``, encode both, write a table with a row per sample."""
    fitted_on, others = ad.read_h5ad(train), ad.read_h5ad(test)
    mean, spread = fitted_on.X.mean(axis=0), fitted_on.X.std(axis=0) + 1e-8
    x = torch.tensor((fitted_on.X - mean) / spread, dtype=torch.float32)
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Linear(x.shape[1], HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, AXES))
    decoder = nn.Linear(AXES, x.shape[1])
    optimiser = torch.optim.AdamW([*encoder.parameters(), *decoder.parameters()], lr=2e-3, weight_decay=1e-3)
    for _ in range(EPOCHS):
        optimiser.zero_grad()
        nn.functional.mse_loss(decoder(encoder(x)), x).backward()
        optimiser.step()
    both = np.concatenate([fitted_on.X, others.X])
    with torch.no_grad():
        latents = encoder(torch.tensor((both - mean) / spread, dtype=torch.float32)).numpy()
    pd.DataFrame(latents, [*fitted_on.obs_names, *others.obs_names]).to_csv(out, sep="\t", index_label="sample_id")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("train", "test", "out"):
        parser.add_argument(name)
    main(**vars(parser.parse_args()))
