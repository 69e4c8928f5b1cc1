"""Step ``baselines`` of a protein run: what needs no network.

``majority``: the commonest state and the mean. ``covariates``: ridge regression on where a residue stands, how long its
chain is and which data set it came from. ``window_linear``: ridge regression on the letters (and profiles) around it.
Classes are regressed as indicators; of a secondary structure Q3 on all chains and Q8, within it, on those that have it.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.kinds.schemas import ProteinRun
from mtlbio.labels.residues.alphabet import MISSING_STATE
from mtlbio.progress import track
from mtlbio.sequence.chains import HELD_OUT, Chains, read_chains
from mtlbio.sequence.features import Wide, open_wide, wide_of
from mtlbio.sequence.letters import UNKNOWN
from mtlbio.sequence.long_form import prediction_rows
from mtlbio.sequence.split import FOLDS
from mtlbio.tables import PREDICTIONS, write_table

MOST_CHAINS = 3000  # training chains of a linear baseline; more change the third decimal
_RIDGE = 1e-3  # penalty as a share of the number of residues

Inputs = Callable[[int], np.ndarray]  # place of a chain -> (length, features)


def baselines(run: ProteinRun, results: Path) -> None:
    """Write ``baselines/predictions.tsv``: the arms of ``run.baselines`` on the held-out chains."""
    results, options = Path(results), run.baselines
    chains = read_chains(results / "cohort.h5ad")
    features = run.features
    sources = open_wide(features.profiles, features.profile_arrays, features.embeddings)
    held_out, tables = chains.of(*HELD_OUT), []
    for arm in track(options.arms, "Fitting the baselines"):
        inputs = inputs_of(arm, chains, options.window, sources)
        predictions: dict[int, dict[str, np.ndarray]] = {int(place): {} for place in held_out}
        for name, task in chains.tasks.items():
            if not task.auxiliary:
                fitted = fit_task(chains, name, inputs, options.seed)
                for place in held_out:
                    linear = [inputs(int(place)) @ coefficients for coefficients in fitted]
                    predictions[int(place)][name] = task.from_linear(linear)
        tables.append(prediction_rows(chains, held_out, predictions, arm, str(options.seed), FOLDS))
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=PREDICTIONS)
    write_table(table, results / "baselines/predictions.tsv", PREDICTIONS)


def inputs_of(arm: str, chains: Chains, window: int, sources: dict[str, Wide]) -> Inputs:
    """What an arm sees of the residues of a chain; the first column is the intercept."""
    if arm == "majority":
        return lambda place: np.ones((int(chains.lengths[place]), 1), dtype=np.float32)
    if arm == "covariates":
        levels = sorted(set(chains.obs["source"].iloc[chains.of("train")]))
        return lambda place: _covariates(chains, place, levels)
    reach = window // 2

    def around(place: int) -> np.ndarray:
        letters = chains.letters[chains.rows(place)]
        x = np.eye(UNKNOWN + 1, dtype=np.float32)[np.minimum(letters, UNKNOWN)]
        if sources:
            x = np.concatenate([x, wide_of(chains.names[place], len(letters), sources)], axis=1)
        padded = np.pad(x, ((reach, reach), (0, 0)))
        neighbours = [padded[k : k + len(letters)] for k in range(window)]
        return np.concatenate([np.ones((len(letters), 1), dtype=np.float32), *neighbours], axis=1)

    return around


def _covariates(chains: Chains, place: int, levels: list[str]) -> np.ndarray:
    length = int(chains.lengths[place])
    position = (np.arange(length) + 0.5) / length
    end = np.minimum(np.arange(length), length - 1 - np.arange(length))
    size = np.full(length, np.log(length) - 5)
    columns = [np.ones(length), position - 0.5, np.square(position - 0.5), np.exp(-end / 5), size, np.square(size)]
    source = chains.obs["source"].iloc[place]
    return np.column_stack([*columns, *[np.full(length, float(source == level)) for level in levels]])


def fit_task(chains: Chains, name: str, inputs: Inputs, seed: int) -> list[np.ndarray]:
    """Coefficients (features, targets) of everything that a linear baseline regresses for the label."""
    rows, fitted = chains.residues(chains.of("train")), []
    for values, classes in chains.tasks[name].regressed(*chains.labels_at(name, slice(None))):
        observed = values != MISSING_STATE if classes else ~np.isnan(values)
        if observed[rows].any():
            fitted.append(_ridge(chains, inputs, observed, values, classes, seed))
    return fitted


def _ridge(chains: Chains, inputs: Inputs, observed: np.ndarray, values: np.ndarray, classes: int, seed: int):
    """Coefficients (features, k) of the value, or of the indicators of the classes.

    Normal equations are summed chain by chain, so that no matrix of all residues is ever there.
    """
    labelled = np.add.reduceat(observed, chains.offsets[:-1]) > 0
    places = chains.of("train")[labelled[chains.of("train")]]
    if len(places) > MOST_CHAINS:
        places = np.random.default_rng([seed, len(places)]).permutation(places)[:MOST_CHAINS]
    gram, cross, count = np.zeros(()), np.zeros(()), 0
    for block in np.array_split(places, max(1, len(places) // 50)):
        xs, ys = [], []
        for place in block:
            span = chains.rows(int(place))
            rows = np.flatnonzero(observed[span])
            xs.append(inputs(int(place))[rows])
            ys.append(values[span][rows])
        x, y = np.concatenate(xs).astype(np.float64), np.concatenate(ys)
        y = np.eye(classes)[y] if classes else y[:, None].astype(np.float64)
        gram, cross, count = gram + x.T @ x, cross + x.T @ y, count + len(x)
    penalty = np.full(len(gram), _RIDGE * count)
    penalty[0] = 0.0
    return np.linalg.solve(gram + np.diag(penalty) + 1e-9 * count * np.eye(len(gram)), cross)
