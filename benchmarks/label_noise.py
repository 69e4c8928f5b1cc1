"""Can the share of shuffled labels of a binary task be told from its held-out predictions?

    python benchmarks/label_noise.py [--full] [--seed 0]

If a share of the labels is drawn anew from all labels, the probability of the positive class, given an honest logit f,
is ``share * mean + (1 - share) * sigmoid(a f + b)``: it never comes near 0 or 1, however large the logit. The share is
fitted with a and b by maximum likelihood, and tested by the likelihood ratio against a share of 0. That is what
confident learning (Northcutt et al. 2021, J. Artif. Intell. Res. 70:1373) reads from the same predictions, with a test;
counting contradicted labels takes a weak task for a wrong one. It assumes one slope for all predictions; those of
different folds have several, so it is no test of a run (``docs/sharing.md``).

Simulated: a standard normal signal, labels that follow it with a given steepness, a predictor that knows the signal up
to noise, and none or half of the labels shuffled. Printed per number of labels and steepness: AUROC with clean and with
shuffled labels, alarms among clean and among half-shuffled tasks. Small form: 100 tasks per cell. Full form: 400.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from mtlbio.evaluation.metrics import auroc

# Of the likelihood ratio. The share cannot be below 0, and where the signal is weak it is not identified, so no
# quantile of a textbook distribution holds; this one was chosen on simulated tasks.
CRITICAL = 4.0
_SLOPES, _MIDDLES = np.geomspace(0.1, 25, 14), np.linspace(-1.5, 1.5, 9)
_SHARES = np.arange(10) / 10


def shuffled_share(logits: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Most likely share of shuffled labels, in tenths, and the likelihood ratio against none.

    Parameters
    ----------
    logits : (n,) held-out predictions on any linear scale
    y : (n,) 0/1
    """
    f, mean = (logits - logits.mean()) / logits.std(), y.mean()
    clean = expit(_SLOPES[:, None, None] * (f - _MIDDLES[:, None]))
    likelihood = []
    for share in _SHARES:
        p = np.clip(share * mean + (1 - share) * clean, 1e-9, 1 - 1e-9)
        likelihood.append((np.log(p) @ y + np.log1p(-p) @ (1 - y)).max())
    # a task that nothing predicts is no evidence of shuffling
    likelihood[0] = max(likelihood[0], -np.logaddexp(0, -logit(mean) * (2 * y - 1)).sum())
    best = int(np.argmax(likelihood))
    return float(_SHARES[best]), 2 * (likelihood[best] - likelihood[0])


def one_cell(n: int, steepness: float, share: float, tasks: int, seed: int) -> tuple[float, float]:
    """Mean AUROC and share of tasks with an alarm."""
    rng, found = np.random.default_rng([seed, n, int(10 * steepness), int(10 * share)]), []
    for _ in range(tasks):
        signal = rng.standard_normal(n)
        y = (rng.random(n) < expit(steepness * signal)).astype(float)
        wrong = rng.random(n) < share
        y[wrong] = rng.permutation(y[wrong])
        f = signal + 0.3 * min(1.0, 3 / steepness) * rng.standard_normal(n)
        found.append((auroc(y, f), shuffled_share(f, y)[1] > CRITICAL))
    return tuple(np.mean(found, axis=0))


def main(full: bool, seed: int) -> None:
    """Print the table."""
    tasks, rows = 400 if full else 100, []
    for n in (60, 150, 300):
        for steepness in (1.5, 3.0, 6.0, 12.0):
            (clean, alarm), (dirty, power) = (one_cell(n, steepness, share, tasks, seed) for share in (0.0, 0.5))
            rows.append([n, steepness, clean, dirty, alarm, power])
    columns = ["labels", "steepness", "AUROC clean", "AUROC half shuffled", "alarms, clean", "alarms, half shuffled"]
    print(pd.DataFrame(rows, columns=columns).to_string(index=False, float_format="{:.2f}".format))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="400 tasks per cell")
    parser.add_argument("--seed", type=int, default=0, help="of the simulated tasks")
    given = parser.parse_args()
    main(given.full, given.seed)
