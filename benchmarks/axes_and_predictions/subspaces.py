"""Axes that turn from fold to fold: are they tried as the plane they span, and how often is that verdict false?

    python benchmarks/axes_and_predictions/subspaces.py [--full] [--seed 0]

Three tables:

1. axes given (``benchmarks/calibration/turning.py``): 120 donors, two axes turn by 37 to 45 degrees in every fold;
   what the plane holds against its verdict;
2. the same under the null: disease follows age alone or nothing at all, 80 donors; share of cohorts with a plane that
   is called biology;
3. the whole pipeline: two programmes of equal strength whose loadings lie evenly on a circle, so that every rotation
   fits equally well; disease, or a batch, follows one of them. Two folds: models of disjoint donors turn most.

Small form some minutes on one core; full form four times the cohorts.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from benchmarks.calibration.planted import ROLES, plant
from benchmarks.calibration.turning import turning_results
from mtlbio.cohort.simulate import Simulation, simulate, write_simulation
from mtlbio.config import Probe
from mtlbio.kinds.read import read_run
from mtlbio.probing.cohorts import examine_cohort
from mtlbio.probing.probe import probe
from mtlbio.probing.rates import wilson
from mtlbio.tables import VERDICTS, read_table

FAST = Probe(permutations=499, bootstrap=200)
PLANES = {
    "interferon + composition": "biology",
    "batch + composition": "technical",
    "age + composition": "confounder",
    "batch + interferon": "mixed",
    "noise + noise": "nothing",
}
NULLS = {
    "disease follows age, age + composition turn": ((0, 3), {"age_effect": 1.5}),
    "disease follows age, batch + composition turn": ((2, 3), {"age_effect": 1.5, "batch_disease": 0.85}),
    "disease follows nothing, three of noise turn": ((3, 5, 6), {"age_effect": 0.0}),
}


def places_of(plane: str) -> tuple[int, ...]:
    """Axes of ``plant`` that hold the programmes of a plane."""
    if plane == "noise + noise":
        return (5, 6)
    return tuple(sorted(ROLES.index(programme) for programme in plane.split(" + ")))


def axes_given(cohorts: int, seed: int) -> pd.DataFrame:
    """Verdicts on turning planes, by what they hold."""
    rows = []
    for plane, right in PLANES.items():
        found = []
        for s in range(seed, seed + cohorts):
            planted = plant(120, 9000 + s, noise_dims=2)
            latents, examinee = turning_results(planted, places_of(plane), seed=s, least=37.0)
            table = examine_cohort(planted.cohort, latents, examinee, FAST)["subspaces"]
            found += list(table["verdict"]) or ["no block"]
        rows.append({"plane": plane, "right": right, "cohorts": cohorts} | pd.Series(found).value_counts().to_dict())
    return pd.DataFrame(rows).fillna(0)


def null(cohorts: int, seed: int) -> pd.DataFrame:
    """How often a turning plane is called biology where nothing but age causes disease."""
    rows = []
    for name, (plane, changes) in NULLS.items():
        false = blocks = 0
        for s in range(seed, seed + cohorts):
            planted = plant(80, 11_000 + s, interferon=0.0, response="nothing", noise_dims=2, **changes)
            latents, examinee = turning_results(planted, plane, seed=s, least=37.0)
            table = examine_cohort(planted.cohort, latents, examinee, FAST)["subspaces"]
            blocks += bool(len(table))
            false += bool((table["verdict"] == "biology").any())
        _, low, high = wilson(false, cohorts)
        row = {"null": name, "cohorts": cohorts, "with a block": blocks, "false biology": false}
        rows.append(row | {"low": low, "high": high})
    return pd.DataFrame(rows)


def circle(follows: str, seed: int, donors: int = 80, genes: int = 100, size: float = 0.4) -> Simulation:
    """A planted cohort with two more programmes, ``first`` and ``second``, that no rotation tells apart.

    Parameters
    ----------
    follows : what goes with ``first``: ``disease`` or ``batch`` (of two, in equal parts)
    genes : of the two programmes; no other programme has them, and their loadings are points on a circle, evenly spaced
    size : root mean square loading
    """
    base = simulate("clear", seed, donors=donors, genes=1500, interferon_effect=0.0, age_effect=0.4, response="nothing")
    rng = np.random.default_rng([seed, 55])
    activity, metadata, truth = rng.standard_normal((donors, 2)), base.metadata.copy(), base.truth.copy()
    if follows == "disease":
        odds = 2.0 * activity[:, 0]
        metadata["disease"] = np.where(odds + rng.logistic(size=donors) > 0, "case", "control")
        answered = np.where(rng.random(donors) < 0.5, "responder", "non_responder")
        metadata["response"] = np.where(metadata["disease"] == "case", answered, None)
        truth["disease_log_odds"] = odds
    else:
        batch = rng.permutation(np.arange(donors) % 2)
        metadata["batch"] = np.array(["B1", "B2"])[batch]
        activity[:, 0] = 2.0 * batch - 1 + 0.2 * rng.standard_normal(donors)
    free = np.flatnonzero((base.loadings.to_numpy() == 0).all(axis=0))
    columns = rng.choice(free, genes, replace=False)
    angle = rng.permutation(np.arange(genes)) * 2 * np.pi / genes
    loadings = np.zeros((2, base.expression.shape[1]))
    loadings[:, columns] = size * np.sqrt(2) * np.stack([np.cos(angle), np.sin(angle)])
    truth["first"], truth["second"] = activity.T
    more = pd.DataFrame(loadings, ["first", "second"], base.loadings.columns)
    expression = base.expression + (activity @ loadings).astype(np.float32)
    return Simulation(expression, metadata, truth, pd.concat([base.loadings, more]), base.design)


def whole_pipeline(cohorts: int, seed: int) -> pd.DataFrame:
    """Stability of the two axes and of their plane, and the verdicts, for cohorts with a circle."""
    from mtlbio.cohort.prepare import prepare
    from mtlbio.training.train import train

    rows = []
    for follows in ("disease", "batch"):
        for s in range(seed, seed + cohorts):
            simulation = circle(follows, s)
            with tempfile.TemporaryDirectory() as folder:
                run = read_run(write_simulation(Path(folder) / "cohort", simulation))
                changed = {
                    "training": run.training.model_copy(update={"single_task": False}),
                    "splits": run.splits.model_copy(update={"folds": 2}),
                    "probe": FAST,
                }
                run, results = run.model_copy(update=changed), Path(folder) / "results"
                for step in (prepare, train, probe):
                    step(run, results)
                verdicts = read_table(results / "verdicts.tsv", VERDICTS).set_index("dim")
                blocks = read_table(results / "probing" / "subspaces.tsv")
                rows.append({"follows": follows, "seed": s} | _of_circle(simulation, results, verdicts, blocks))
    return pd.DataFrame(rows)


def _of_circle(simulation: Simulation, results: Path, verdicts: pd.DataFrame, blocks: pd.DataFrame) -> dict:
    """What became of the two axes of the final model that carry the circle."""
    import anndata as ad

    latents = ad.read_h5ad(results / "latents.h5ad")
    final = np.asarray(latents.layers["final"])[:, (latents.var["block"] == "axis").to_numpy()]
    truth = simulation.truth.loc[latents.obs_names, ["first", "second"]].to_numpy()
    r2 = np.square(np.corrcoef(np.column_stack([truth, final]), rowvar=False)[:2, 2:]).sum(axis=0)
    two = sorted(latents.var_names[i] for i in np.argsort(-r2)[:2])
    row = {"axes": " ".join(f"{d} {verdicts.at[d, 'stability']:.2f} {verdicts.at[d, 'verdict']}" for d in two)}
    own = blocks[blocks["subspace"] == "+".join(two)]
    row["plane"] = "" if own.empty else f"{own['stability'].iloc[0]:.2f} {own['verdict'].iloc[0]}"
    row["decides"] = "" if own.empty else own["decides"].iloc[0]
    return row | {"other blocks": len(blocks) - len(own)}


def main(full: bool, seed: int) -> None:
    """Print the three tables."""
    times = 4 if full else 1
    pd.set_option("display.width", 200)
    print("1. axes given, 120 donors: verdicts on a plane that turns")
    print(axes_given(10 * times, seed).to_string(index=False, float_format="{:.0f}".format), flush=True)
    print("\n2. axes given, 80 donors: planes called biology where there is none")
    print(null(20 * times, seed).to_string(index=False, float_format="{:.3f}".format), flush=True)
    print("\n3. whole pipeline, 80 donors: two programmes that no rotation tells apart")
    print(whole_pipeline(6 * times, seed).to_string(index=False), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="four times the cohorts")
    parser.add_argument("--seed", type=int, default=0, help="first seed")
    given = parser.parse_args()
    main(given.full, given.seed)
