"""With and without the adversary: what happens to the batch, to disease on a batch never seen, and to the verdicts.

    python benchmarks/sharing/adversary.py [DATA] [--full] [--seed 0] [--results DIR] [--again]

Every row is a network: with all paths, as by default; with the paths of the shared part only (*none*); and the same
with an adversary against the batch. *None* is what the adversaries are compared with, since an adversary reaches no
other path. Cohorts: *planted*, where P(batch = disease) is .85 in four batches; and, where DATA holds it, the lupus
cohort *sle*. Printed per network:

- batch: AUROC of the better of two fresh classifiers (mtlbio.evaluation.reprobe), folds of donors, from the supervised
  dimensions, with its interval, and how much more than the labels of the tasks tell;
- disease, donors: AUROC on held-out donors;
- disease, batch: AUROC within each batch that was left out as a whole, mean over the batches, and the difference to
  *none* with its interval (paired bootstrap over donors, 95 %);
- verdicts on the supervised dimensions and on the axes, and which dimensions got another one than with *none*.

Training is kept below results/benchmarks/adversary/, so a killed run goes on where it stopped. Small form: a planted
cohort of 200 donors. Full form: three planted cohorts of the size of a default run; the differences of each are shown.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from benchmarks.real.runs import Judged, described, judged, prepared
from benchmarks.shared.places import RESULTS
from mtlbio.cohort.cohort import Cohort, write_cohort
from mtlbio.cohort.simulate import simulate, write_simulation
from mtlbio.cohort.split import make_splits
from mtlbio.config import Adversary, Splits
from mtlbio.evaluation.bootstrap import bootstrap_weights, interval
from mtlbio.evaluation.reprobe import reprobe
from mtlbio.kinds.read import read_run
from mtlbio.kinds.schemas import CohortRun
from mtlbio.metrics.ranking import auroc
from mtlbio.tables import PREDICTIONS, SPLITS, read_table, write_table
from mtlbio.training.train import train

BATCH, DISEASE = "batch", "disease"
STRENGTHS = (0.3, 1.0, 3.0)
NONE, DEFAULT = "none", "all paths"
DRAWS = 1000


@dataclass(frozen=True)
class Source:
    """A cohort and the run that describes it; ``folder`` keeps what is trained."""

    run: CohortRun
    cohort: Cohort
    folder: Path


def changed(run: CohortRun, **sections: dict) -> CohortRun:
    """The run with other options, by section."""
    return run.model_copy(update={key: getattr(run, key).model_copy(update=new) for key, new in sections.items()})


def networks(run: CohortRun, strengths: tuple[float, ...] = STRENGTHS) -> dict[str, CohortRun]:
    """The run with all paths, with those of the shared part, and with adversaries of so many strengths."""
    changes: dict[str, dict] = {DEFAULT: {}, NONE: {"paths": ["dense", "curved"]}}
    for strength in strengths:
        adversary = Adversary(covariate=BATCH, strength=strength)
        changes[f"strength {strength:g}"] = changes[NONE] | {"adversary": adversary}
    return {name: changed(run, training=change) for name, change in changes.items()}


def planted(folder: Path, full: bool, seed: int, **design) -> Source:
    """A planted cohort whose batch goes with the disease; ``design`` are fields of the simulation's design."""
    simulation = simulate("confounded", seed, **({} if full else {"donors": 200, "genes": 800}) | design)
    run = read_run(write_simulation(folder / "cohort", simulation))
    training = {"single_task": False, "device": "cpu", "seeds": 2} | ({} if full else {"epochs": 200})
    probe = {} if full else {"permutations": 199, "bootstrap": 300}
    return Source(changed(run, training=training, probe=probe), prepared(run, folder), folder)


def held_out(cohort: Cohort, folder: Path) -> np.ndarray:
    """(n,) probability of the disease by the multi-task ensemble, out of fold."""
    rows = read_table(folder / "predictions.tsv", PREDICTIONS)
    rows = rows[(rows["arm"] == "multitask") & (rows["task"] == DISEASE)]
    return rows.groupby("sample")["y_pred"].mean().reindex(cohort.samples).to_numpy(dtype=float)


def within_batches(cohort: Cohort, pred: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(draws,) AUROC of disease within each batch, mean over the batches that have both classes."""
    y, batch = cohort.y(DISEASE), cohort.obs[BATCH].astype(str).to_numpy()
    own = [(batch == level) & ~np.isnan(y) for level in np.unique(batch)]
    values = [auroc(y[rows], pred[rows], weights[:, rows]) for rows in own if len(np.unique(y[rows])) == 2]
    return np.mean(values, axis=0)


def left_out(source: Source, run: CohortRun, folder: Path, again: bool) -> np.ndarray:
    """(n,) probability of the disease by networks that never saw the sample's batch."""
    if again or not (folder / "predictions.tsv").exists():
        write_cohort(source.cohort, folder / "cohort.h5ad")
        splits = make_splits(source.cohort, Splits(kind="leave_out", by=BATCH))
        write_table(splits, folder / "splits.tsv", SPLITS)
        train(run, folder)
    return held_out(source.cohort, folder)


def results_of(source: Source, again: bool = False, strengths: tuple[float, ...] = STRENGTHS) -> dict[str, dict]:
    """Numbers of every network, by name."""
    cohort, found = source.cohort, {}
    strata = cohort.obs[BATCH].astype(str) + "|" + cohort.obs[DISEASE].astype(str)
    weights = bootstrap_weights(cohort.donors, DRAWS, 0, strata.to_numpy())
    for name, run in networks(source.run, strengths).items():
        folder = source.folder / name.replace(" ", "_")
        trial = judged(cohort, run, folder / "donors", again)
        unseen = left_out(source, run, folder / "batches", again)
        known = ~np.isnan(cohort.y(DISEASE))
        found[name] = read(trial) | {
            "donors": auroc(cohort.y(DISEASE)[known], held_out(cohort, folder / "donors")[known]),
            "unseen": float(within_batches(cohort, unseen, np.ones((1, len(unseen))))[0]),
            "drawn": within_batches(cohort, unseen, weights),
            "verdicts": trial.verdicts,
        }
    return found


def read(trial: Judged) -> dict:
    """What fresh classifiers make of the batch: of the supervised dimensions the better one, and of the labels."""
    table = reprobe(trial.latents, DRAWS, 0)
    table = table[table["covariate"] == BATCH].sort_values("value", ascending=False)
    best = table[table["representation"] == "supervised"].iloc[0]
    others = table.groupby("representation")["value"].first()
    keys = ("value", "ci_low", "ci_high", "over_labels", "over_low", "over_high")
    return {key: float(best[key]) for key in keys} | {"axes": others["axes"], "labels": others["labels"]}


def shown(found: dict[str, dict]) -> pd.DataFrame:
    """The table that is printed."""
    rows, none = [], found[NONE]
    for name, one in found.items():
        difference = "" if one is none else "{:+.3f} ({:+.3f} to {:+.3f})".format(
            one["unseen"] - none["unseen"], *interval(one["drawn"] - none["drawn"])
        )  # fmt: skip
        verdicts, before = one["verdicts"], none["verdicts"].reindex(one["verdicts"].index)
        other = [
            f"{dim} {before.at[dim, 'verdict']} -> {row['verdict']}"
            for dim, row in verdicts.iterrows()
            if row["verdict"] != before.at[dim, "verdict"]
        ]
        blocks = verdicts.groupby("block")["verdict"]
        counts = {block: ", ".join(f"{n} {v}" for v, n in own.value_counts().items()) for block, own in blocks}
        rows.append(
            {
                "adversary": name,
                "batch": "{value:.2f} ({ci_low:.2f} to {ci_high:.2f})".format(**one),
                "over labels": "{over_labels:+.2f} ({over_low:+.2f} to {over_high:+.2f})".format(**one),
                "disease, donors": f"{one['donors']:.3f}",
                "disease, batch": f"{one['unseen']:.3f}",
                "difference": difference,
                "supervised": counts.get("supervised", ""),
                "axes": counts.get("axis", ""),
                "changed": ", ".join(other) if one is not none else "",
            }
        )
    return pd.DataFrame(rows)


def main() -> None:
    """Print a table per cohort."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="?", help="folder of real cohorts")
    parser.add_argument("--full", action="store_true", help="three planted cohorts of the size of a default run")
    parser.add_argument("--seed", type=int, default=0, help="first planted cohort")
    parser.add_argument("--results", type=Path, default=RESULTS / "adversary")
    parser.add_argument("--again", action="store_true", help="train again")
    options = parser.parse_args()
    sources = [
        planted(options.results / f"planted_{'full' if options.full else 'small'}_{seed}", options.full, seed)
        for seed in range(options.seed, options.seed + (3 if options.full else 1))
    ]
    if options.data is None or not (options.data / "sle" / "expression.parquet").exists():
        print("sle: skipped, " + ("no DATA" if options.data is None else f"no {options.data}/sle/expression.parquet"))
    else:
        run = described("sle", options.data.resolve(), options.results)
        sources.append(Source(run, prepared(run, options.results / "sle"), options.results / "sle"))
    for source in sources:
        found = results_of(source, options.again)
        none = found[NONE]
        print(
            f"\n{source.folder.name}: {len(set(source.cohort.donors))} donors, {source.cohort.obs[BATCH].nunique()} "
            f"batches; fresh batch AUROC from the labels {none['labels']:.2f}, from the axes {none['axes']:.2f}"
        )
        print(shown(found).to_string(index=False), flush=True)


if __name__ == "__main__":
    main()
