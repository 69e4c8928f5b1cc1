"""An ensemble with random weights: what saving, loading and encoding must keep."""

from __future__ import annotations

import numpy as np

from mtlbio.cohort.features import fit_features
from mtlbio.labels import Binary, Multiclass, Ordinal, Regression
from mtlbio.model.curves import Curves
from mtlbio.model.ensemble import FINAL, Ensemble, FoldModel
from mtlbio.model.outputs import Outputs

TASKS = {
    "disease": Binary("disease", ("healthy", "sick")),
    "age": Regression("age"),
    "stage": Ordinal("stage", ("I", "II", "III", "IV")),
    "subtype": Multiclass("subtype", ("A", "B", "C")),
}
GENES, KEPT, AXES, CURVES, SEEDS = 30, 20, 4, 7, 3


def fold_model(expression: np.ndarray, seed: int) -> FoldModel:
    """Random encoder and heads on the most variable genes of ``expression``; the fold's own axes are one more."""
    rng = np.random.default_rng([seed, 3])
    packing = Outputs.of(TASKS)
    features = fit_features(expression, KEPT)
    own = rng.standard_normal((KEPT, AXES + 1)) / np.sqrt(KEPT)
    curves = Curves.of(features.transform(expression) @ own, CURVES, seed)
    c = packing.n_columns
    draw = {
        "axes": (KEPT, AXES),
        "axes_mean": (AXES,),
        "block": (SEEDS, KEPT, c),
        "block_mean": (SEEDS, c),
        "curved": (SEEDS, CURVES, c),
        "weights": (SEEDS, AXES + c, c),
        "bias": (SEEDS, packing.n_outputs),
    }
    # float32 numbers, so that a round trip through the file can be exact
    arrays = {name: rng.standard_normal(shape).astype(np.float32).astype(float) for name, shape in draw.items()}
    arrays |= {
        "own_axes": own.astype(np.float32).astype(float),
        "frequencies": curves.frequencies.astype(np.float32).astype(float),
        "phase": curves.phase.astype(np.float32).astype(float),
        "curve_mean": curves.mean.astype(np.float32).astype(float),
        "target_mean": np.array([0.0, 50.0, 0.0, 0.0]),
        "target_scale": np.array([1.0, 17.0, 1.0, 1.0]),
    }
    return FoldModel(features, **arrays)


def ensemble(expression: np.ndarray, folds: int = 2) -> Ensemble:
    """Folds 0 .. folds - 1 and the final model, all with different weights."""
    packing = Outputs.of(TASKS)
    return Ensemble(
        models={fold: fold_model(expression, fold + 5) for fold in [*range(folds), FINAL]},
        tasks=TASKS,
        genes=tuple(f"g{i}" for i in range(GENES)),
        dims=tuple(f"z{d + 1:02d}" for d in range(AXES + packing.n_columns)),
        seeds=tuple(range(SEEDS)),
    )


def expression_of(n: int = 24, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(7, 2, (n, GENES)).astype(np.float32)
