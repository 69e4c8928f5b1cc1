"""Is a donor whose measurements or record are somebody else's among the first of influence.tsv?

    python benchmarks/calibration/outliers.py [--cohorts 20] [--donors 200] [--effect 1.5]

Plants cohorts (three tasks, sex and batch), and into each one error at a time: the measurements of two donors swapped,
a wrong age (that of another donor), a wrong sex, a wrong disease. Prints how often the donor (of a swap: either, and
both) is ranked within the first 5 %, how often by the label of that task alone, how often it would be by somebody who
knows the planted log odds of disease, or the planted activity that age shows in (``known``: what can be found at all),
how often it is named, how often somebody is named where nothing was planted, and the seconds that all moves of a cohort
of 128 donors take. ``--effect``: log odds of disease per standard deviation of interferon, the only cause where it is
not the default.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from benchmarks.shared.planted_tasks import TASKS
from mtlbio.cohort.cohort import Cohort, CovariateInfo
from mtlbio.cohort.simulate import Simulation, simulate
from mtlbio.evaluation.influence import influence_of_donors, moves
from mtlbio.evaluation.leave_one_out import features_of, linear_model
from mtlbio.evaluation.linear_targets import task_targets

COVARIATES = {
    "age": CovariateInfo("age", "confounder", "continuous"),
    "sex": CovariateInfo("sex", "confounder", "categorical"),
    "batch": CovariateInfo("batch", "technical", "categorical"),
}
FIRST = 0.05  # share of the donors that somebody looks at


def drawn_of(seed: int, donors: int, genes: int = 1000, effect: float | None = None) -> Simulation:
    """What is planted."""
    changes = {} if effect is None else {"interferon_effect": effect, "age_effect": 0.0}
    return simulate("clear", seed, donors=donors, genes=genes, **changes)


def planted(seed: int, donors: int, genes: int = 1000, effect: float | None = None) -> Cohort:
    """A cohort in memory, as ``prepare`` would leave it."""
    drawn = drawn_of(seed, donors, genes, effect)
    obs = drawn.metadata.set_index("sample_id").rename(columns={"donor_id": "donor"})
    names = tuple(drawn.expression.columns)
    return Cohort(drawn.expression.to_numpy(), names, obs, dict(TASKS), dict(COVARIATES), {"kind": "cohort"})


def with_errors(cohort: Cohort, seed: int) -> Iterator[tuple[str, Cohort, list[str]]]:
    """(what is wrong, the cohort with it, donors that it is about)."""
    rng = np.random.default_rng([seed, 7])
    i, j = rng.choice(len(cohort.obs), 2, replace=False)
    donors = cohort.donors
    values = cohort.expression.copy()
    values[[i, j]] = values[[j, i]]
    yield "nothing", cohort, []
    yield "swap", replace(cohort, expression=values), [donors[i], donors[j]]
    other = {"sex": {"male": "female", "female": "male"}, "disease": {"case": "control", "control": "case"}}
    for name in ("age", "sex", "disease"):
        column = cohort.obs[name].copy()
        column.iloc[i] = column.iloc[j] if name == "age" else other[name][column.iloc[i]]
        yield f"wrong {name}", replace(cohort, obs=cohort.obs.assign(**{name: column})), [donors[i]]


def known(what: str, cohort: Cohort, truth: pd.DataFrame) -> np.ndarray | None:
    """(n,) how wrong a label looks to somebody who knows what is planted; None of errors without such a scale."""
    if what == "wrong disease":
        odds = (truth["disease_log_odds"] - truth["disease_log_odds"].median()).to_numpy()
        return np.where(cohort.obs["disease"] == "case", -odds, odds)
    if what == "wrong age":
        age = cohort.obs["age"].to_numpy()
        return np.abs((age - age.mean()) / age.std() - truth["age"].to_numpy())
    return None


def count(cohorts: range, size: int, only: str | None = None, effect: float | None = None) -> pd.DataFrame:
    """A row per cohort and error: ``either`` and ``both`` within the first 5 %, by ``label`` of the task alone, by who
    knows the truth (``known``), ``named`` any of the donors, ``others`` how many others."""
    rows = []
    for seed in cohorts:
        truth = drawn_of(seed, size, effect=effect).truth
        for what, cohort, about in with_errors(planted(seed, size, effect=effect), seed):
            if only not in (None, what):
                continue
            donors = influence_of_donors(cohort)[0]
            table = donors.drop_duplicates("donor").set_index("donor")
            first, named = table["rank"] <= FIRST * len(table), table["suspect"] == "yes"
            row = {"error": what, "either": float(first[about].any()), "named": float(named[about].any())}
            row["both"] = float(first[about].all()) if about else np.nan
            row |= {"label": np.nan, "known": np.nan}
            if (scale := known(what, cohort, truth)) is not None:
                labels = donors[donors["task"] == what.removeprefix("wrong ")].set_index("donor")["wrong_label"]
                row["label"] = _among_first(labels, about[0])
                row["known"] = _among_first(pd.Series(scale, cohort.donors), about[0])
            rows.append(row | {"others": int(named.drop(about).sum())})
    return pd.DataFrame(rows)


def _among_first(scale: pd.Series, donor: str) -> float:
    return float((scale > scale[donor]).sum() < FIRST * len(scale))


def seconds(donors: int = 128) -> tuple[float, float]:
    """Of the fit with its penalties, and of all moves of all donors, where features are there."""
    cohort = planted(0, donors)
    targets = task_targets(cohort)
    x = features_of(cohort, len(targets))
    start = time.perf_counter()
    model = linear_model(x, targets, cohort.donors)
    fitted = time.perf_counter()
    moves(model, [model.labels_of])
    return fitted - start, time.perf_counter() - fitted


def main(cohorts: int, donors: int, effect: float | None) -> None:
    """Print the shares and the seconds."""
    table = count(range(cohorts), donors, effect=effect)
    shares = table.groupby("error", sort=False).agg(
        cohorts=("either", "size"), either=("either", "mean"), both=("both", "mean"),
        label=("label", "mean"), known=("known", "mean"), named=("named", "mean"),
        others_named=("others", "sum"),
    )  # fmt: skip
    print(shares.to_string(float_format="{:.2f}".format))
    fit, move = seconds()
    print(f"128 donors, 3 tasks: fit with its choice of penalties {fit:.2f} s, all moves {move:.2f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohorts", type=int, default=20, help="planted cohorts")
    parser.add_argument("--donors", type=int, default=200, help="of each")
    parser.add_argument("--effect", type=float, default=None, help="log odds of disease, instead of the default design")
    options = parser.parse_args()
    main(options.cohorts, options.donors, options.effect)
