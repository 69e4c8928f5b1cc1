"""What do ridges lose with whole sites, or chips, left out? Warfarin at 18 sites, arthritis and lupus on chips.

    python benchmarks/real/sites.py DATA [--only warfarin] [--draws 500]

DATA holds ``warfarin_iwpc/``, ``ra_methylation/`` and ``sle/``. Five folds of donors and five of whole levels; prints
the metric that decides (of the dose the mean absolute error) with both and what is lost, with the intervals of the
paired bootstrap of donors. Of warfarin also the ridges that know the site (:mod:`mtlbio.evaluation.site_forms`).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pandas as pd
import yaml

from benchmarks.doses.warfarin import CATEGORIES, NUMERIC, patients
from mtlbio.cohort.prepare import build_cohort, splits_of_sites
from mtlbio.cohort.split import make_splits
from mtlbio.evaluation.baselines import arms_of, predict_baselines
from mtlbio.evaluation.sites import sites_left_out
from mtlbio.kinds.read import read_run

AGE = {"kind": "regression"}
FILES = {"expression": "expression.parquet", "metadata": "metadata.csv"}
SHOWN = {"binary": "auroc", "regression": "mae"}


def described(name: str, data: Path, folder: Path) -> dict:
    """The run's YAML; what it reads is in DATA, or written into ``folder``."""
    if name == "warfarin":
        patients(data).to_csv(folder / "warfarin.csv", index=False)
        source = {"features": {"path": "warfarin.csv", "numeric": NUMERIC, "categories": CATEGORIES}}
        source |= {"metadata": {"sample": "subject_id", "donor": "subject_id"}}
        dose = {"kind": "regression", "column": "dose_mg_week", "transform": "sqrt"}
        return source | {"tasks": {"dose": dose}, "baselines": {"arms": ["ridge"], "sites": "site"}} | held_out("site")
    place, scale, sick = {"arthritis": ("ra_methylation", "beta", "RA"), "lupus": ("sle", "log2", "SLE")}[name]
    files = {key: str((data / place / file).resolve()) for key, file in FILES.items()}
    source = {"expression": {"path": files["expression"], "scale": scale}, "metadata": {"path": files["metadata"]}}
    tasks = {"disease": {"kind": "binary", "positive": sick}} | ({"age": AGE} if name == "arthritis" else {})
    return source | {"tasks": tasks, "qc": {"twins": "keep"}, "baselines": {"arms": ["ridge"]}} | held_out("array_chip")


def held_out(by: str) -> dict:
    """Folds of donors, and of whole levels."""
    return {"covariates": {by: {"role": "technical"}}, "splits": {"also": {"by": by, "folds": 5}}}


def lost(name: str, data: Path, draws: int) -> pd.DataFrame:
    """Rows of ``sites_left_out.tsv`` over all samples."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.yaml"
        path.write_text(yaml.safe_dump({"run": name} | described(name, data, Path(folder))), encoding="utf-8")
        run = read_run(path)
        cohort = build_cohort(run)[0]
    options, folds = run.baselines, (make_splits(cohort, run.splits), splits_of_sites(run, cohort))
    tables = [predict_baselines(cohort, one, arms_of(options), 2000, options.seed, options.sites) for one in folds]
    found = sites_left_out(*tables, cohort.tasks, pd.Series("all", cohort.obs.index), draws, 0)
    shown = {task: SHOWN[label.kind] for task, label in cohort.tasks.items()}
    found = found[found["site"].isna() & (found["metric"] == found["task"].map(shown))]
    return found.assign(cohort=name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", choices=["warfarin", "arthritis", "lupus"], action="append")
    parser.add_argument("--draws", type=int, default=500)
    options = parser.parse_args()
    for name in options.only or ["warfarin", "arthritis", "lupus"]:
        for row in lost(name, options.data, options.draws).itertuples():
            print(
                f"{name} {row.task} {row.arm}: {row.metric} {row.by_donors:.3f} by donors, {row.by_sites:.3f} by "
                f"sites; lost {row.lost:.3f} ({row.lost_low:.3f} to {row.lost_high:.3f})",
                flush=True,
            )


if __name__ == "__main__":
    main()
