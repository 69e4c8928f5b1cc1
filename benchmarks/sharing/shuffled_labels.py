"""Out-of-fold predictions of the networks, with the labels as they are and with a share of them shuffled.

In a shuffled copy the labels of every task are shuffled, each task's apart from the others', among the donors that
carry one; a donor's samples stay together. The networks of all copies are trained in one stack, the multi-task arm
only, and their predictions are kept until a source of the training changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from benchmarks.real.cohorts import COHORTS, write_run
from benchmarks.real.runs import prepared
from benchmarks.shared.places import RESULTS
from benchmarks.shared.sources import digest_of
from benchmarks.sharing.small_label import TASKS, planted
from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.simulate import simulate
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits, Training
from mtlbio.files import replacing
from mtlbio.kinds.read import read_run
from mtlbio.kinds.schemas import CohortRun
from mtlbio.labels import Binary
from mtlbio.progress import say
from mtlbio.tables import PREDICTIONS
from mtlbio.training.refits import Refitter
from mtlbio.training.subsets import out_of_fold

STORE = RESULTS / "label_noise"
SHARES = (0.0, 0.5)
SUBTYPE = Binary("subtype", ("a", "b"))
STEEPNESS = 6.0
LEUKAEMIA = {
    "run": "leukaemia_all",
    "tasks": {"lineage": {"kind": "binary", "column": "disease", "positive": "T_ALL"}, "age": {"kind": "regression"}},
    "covariates": {"sex": {"role": "confounder"}},
}
REAL = ("covid_proteome", "leukaemia_all", "ageing_proteome", "ra_methylation")


def planted_cohort(seed: int, donors: int = 200, genes: int = 1000) -> Cohort:
    """Disease, age and response as in ``small_label.py``, and an easy subtype by cell composition."""
    cohort = planted("related", seed, donors=donors, genes=genes)[0]
    cause = simulate("clear", seed, donors=donors, genes=genes, labelled=1.0).truth["composition"].to_numpy()
    odds = STEEPNESS * (cause - cause.mean()) / cause.std() + np.random.default_rng([seed, 50]).logistic(size=donors)
    return replace(
        cohort, obs=cohort.obs.assign(subtype=np.where(odds > 0, "b", "a")), tasks=TASKS | {"subtype": SUBTYPE}
    )


def shuffled(cohort: Cohort, share: float, seed: int) -> Cohort:
    """The cohort with that share of the labelled donors of every task handed each other's labels."""
    obs = cohort.obs.copy()
    for t, (name, task) in enumerate(cohort.tasks.items()):
        rng = np.random.default_rng([seed, 51, t])
        values = obs[name].to_numpy(dtype=float if task.kind == "regression" else object).copy()
        rows = pd.DataFrame({"donor": cohort.donors, "row": np.arange(len(obs))})[obs[name].notna().to_numpy()]
        first = rows.groupby("donor")["row"].first()
        chosen = rng.permutation(len(first))[: round(share * len(first))]
        given = values[first.to_numpy()].copy()
        given[chosen] = given[rng.permutation(chosen)]
        label = pd.Series(given, first.index)
        moved = rows[rows["donor"].isin(first.index[chosen])]
        values[moved["row"]] = label[moved["donor"]].to_numpy()
        obs[name] = values if task.kind == "regression" else pd.Series(values, obs.index).astype(obs[name].dtype)
    return replace(cohort, obs=obs)


def predicted(copies: list[Cohort], splits: pd.DataFrame, options: Training) -> list[pd.DataFrame]:
    """A table of predictions per copy, with the columns of ``predictions.tsv``."""
    first = copies[0]
    refitter = Refitter.of(first, splits, options, "cpu", [np.ones(len(first.tasks))], final=False)
    fold = splits.set_index("sample")["fold"].loc[first.samples].to_numpy()
    common = {"sample": first.samples, "donor": first.donors, "fold": fold, "seed": "ensemble", "arm": "multitask"}
    tables = []
    for copy, refit in zip(copies, refitter.refit(copies), strict=True):
        parts = []
        for name, task in copy.tasks.items():
            pred, y = out_of_fold(copy, refit, 0, name), copy.y(name)
            if pred.ndim == 1:
                label = task.classes[1] if task.classes else None
                parts.append(pd.DataFrame(common | {"task": name, "label": label, "y_true": y, "y_pred": pred}))
                continue
            for k, label in enumerate(task.classes):
                true = np.where(np.isnan(y), np.nan, y == k)
                own = common | {"task": name, "label": label, "y_true": true, "y_pred": pred[:, k]}
                parts.append(pd.DataFrame(own))
        tables.append(pd.concat(parts, ignore_index=True)[PREDICTIONS])
    return tables


def version() -> str:
    """Digest of the sources that predictions depend on."""
    return digest_of(("mtlbio.cohort", "mtlbio.model", "mtlbio.training"))


def kept(
    name: str, cohort_of: Callable[[], Cohort], splits: Splits, options: Training, seed: int = 0
) -> dict[float, pd.DataFrame]:
    """Predictions of a cohort by share of shuffled labels, trained unless they are there."""
    places = {share: STORE / version() / f"{name}_{share:g}.parquet" for share in SHARES}
    if not all(place.exists() for place in places.values()):
        say(f"label noise: training {name}")
        cohort = cohort_of()
        copies = [shuffled(cohort, share, seed) for share in SHARES]
        for place, table in zip(places.values(), predicted(copies, make_splits(cohort, splits), options), strict=True):
            place.parent.mkdir(parents=True, exist_ok=True)
            with replacing(place) as temporary:
                table.to_parquet(temporary)
    return {share: pd.read_parquet(place) for share, place in places.items()}


def planted_predictions(seeds: range) -> Iterator[tuple[str, dict[float, pd.DataFrame]]]:
    """Predictions of planted cohorts, cohort after cohort."""
    for seed in seeds:
        name, cohort = f"planted_{seed}", partial(planted_cohort, seed)
        yield name, kept(name, cohort, Splits(folds=3), Training(seeds=2), seed)


def real_predictions(data: Path) -> Iterator[tuple[str, dict[float, pd.DataFrame]]]:
    """Predictions of the real cohorts that are there."""
    for name in REAL:
        if (data / name / "expression.parquet").exists():
            run = real_run(name, data)
            options = run.training.model_copy(update={"seeds": 2, "device": "cpu"})
            yield name, kept(name, partial(prepared, run, STORE / name), run.splits, options)


def real_run(name: str, data: Path) -> CohortRun:
    """The run of a real cohort."""
    if name in COHORTS:
        return read_run(write_run(name, data, STORE))
    source = {"path": str(data / name / "expression.parquet"), "scale": "log2"}
    content = LEUKAEMIA | {"expression": source, "metadata": {"path": str(data / name / "metadata.csv")}}
    path = STORE / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return read_run(path)
