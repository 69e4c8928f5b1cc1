"""An encoder for ``latents.encode``: an autoencoder of one hidden layer, trained on the training samples.

latents: {encode: "python autoencoder.py {train} {test} {out}"}
"""

import sys

import anndata as ad
import numpy as np
import pandas as pd
import torch
from torch import nn

AXES, HIDDEN, EPOCHS = 8, 64, 300


def main(train: str, test: str, out: str) -> None:
    """Fit on ``train``, encode both, write a table with a row per sample."""
    train, test = ad.read_h5ad(train), ad.read_h5ad(test)
    mean, spread = train.X.mean(axis=0), train.X.std(axis=0) + 1e-8
    x = torch.tensor((train.X - mean) / spread, dtype=torch.float32)
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Linear(x.shape[1], HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, AXES))
    decoder = nn.Linear(AXES, x.shape[1])
    optimiser = torch.optim.AdamW([*encoder.parameters(), *decoder.parameters()], lr=2e-3, weight_decay=1e-3)
    for _ in range(EPOCHS):
        optimiser.zero_grad()
        nn.functional.mse_loss(decoder(encoder(x)), x).backward()
        optimiser.step()
    both = np.concatenate([train.X, test.X])
    with torch.no_grad():
        latents = encoder(torch.tensor((both - mean) / spread, dtype=torch.float32)).numpy()
    pd.DataFrame(latents, [*train.obs_names, *test.obs_names]).to_csv(out, sep="\t", index_label="sample_id")


if __name__ == "__main__":
    main(*sys.argv[1:])
