"""Do the tables still say what they said? Results of two versions of the code, compared number by number.

    python benchmarks/frozen.py make OUT [--commit REV] [--only RUN ...]   run planted, leukaemia, proteins and doses
    python benchmarks/frozen.py compare BEFORE AFTER [--tolerance 1e-6] [--texts]

``make`` runs the whole workflow on the code of a commit (in a worktree of its own) or, without ``--commit``, on the
code as it stands. ``compare`` reads the tables and latents of every run of both folders: numbers have to agree within
the relative tolerance, other cells to the letter. Sentences (``why`` and the like) are compared only with ``--texts``,
for a change of words is no change of a result. Exit status 1 where anything differs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
SIMULATED = {"planted": "cohort", "planted_proteins": "protein", "planted_doses": "doses"}
RUNS = (*SIMULATED, "leukaemia")
TABLES = (
    "verdicts",
    "metrics",
    "predictions",
    "comparisons",
    "transfer",
    "reprobe",
    "label_noise",
    "splits",
    "history",
)
PROBING = ("audit", "association", "ablation", "enrichment", "stability", "subspaces", "replicas")
WORDS = ("why", "needed_for", "error_rate_from")


def make(out: Path, commit: str | None, only: list[str]) -> None:
    """Run the workflow on every run that is asked for; results lie under ``out/<run>``."""
    with tempfile.TemporaryDirectory() as folder:
        code = ROOT
        if commit:
            code = Path(folder) / "code"
            subprocess.run(["git", "worktree", "add", "--detach", str(code), commit], cwd=ROOT, check=True)
        environment = os.environ | {"PYTHONPATH": str(code)}
        command = [sys.executable, "-m", "mtlbio"]
        try:
            for run in only:
                description = code / "config" / "runs" / f"{run}.yaml"
                if run in SIMULATED:
                    description = out / "cohorts" / run / "run.yaml"
                    simulate = [*command, "simulate", str(description.parent), "--kind", SIMULATED[run]]
                    subprocess.run(simulate, cwd=code, env=environment, check=True)
                subprocess.run(
                    [*command, "run", str(description), "--results", str(out)], cwd=code, env=environment, check=True
                )
        finally:
            if commit:
                subprocess.run(["git", "worktree", "remove", "--force", str(code)], cwd=ROOT, check=True)


def compare(before: Path, after: Path, tolerance: float, texts: bool) -> list[str]:
    """What differs, in lines; empty where nothing does."""
    runs = [run for run in RUNS if (before / run).is_dir() and (after / run).is_dir()]
    if not runs:
        return [f"no run of {', '.join(RUNS)} lies in both {before} and {after}"]
    found = []
    for run in runs:
        for name in [*(f"{t}.tsv" for t in TABLES), *(f"probing/{t}.tsv" for t in PROBING)]:
            pair = [folder / run / name for folder in (before, after)]
            if pair[0].exists():
                found += [f"{run}/{name}: {line}" for line in table_differs(*pair, tolerance, texts)]
        pair = [folder / run / "latents.h5ad" for folder in (before, after)]
        if pair[0].exists():
            found += [f"{run}/latents.h5ad: {line}" for line in latents_differ(*pair, tolerance)]
    return found


def table_differs(before: Path, after: Path, tolerance: float, texts: bool) -> list[str]:
    """Lines on two tables."""
    if not after.exists():
        return ["is missing"]
    a, b = (pd.read_csv(p, sep="\t", keep_default_na=False, na_values=["NA"], dtype=str) for p in (before, after))
    if list(a.columns) != list(b.columns):
        return [f"columns {sorted(set(a) ^ set(b)) or 'in another order'}"]
    if len(a) != len(b):
        return [f"{len(a)} rows became {len(b)}"]
    lines = []
    for column in a:
        if column in WORDS and not texts:
            continue
        differs = [i for i, (x, y) in enumerate(zip(a[column], b[column], strict=True)) if not same(x, y, tolerance)]
        if differs:
            i = differs[0]
            first = f"first row {i + 1}: {a[column][i]} became {b[column][i]}"
            lines.append(f"{column}: {len(differs)} of {len(a)} rows, {first}")
    return lines


def same(x: object, y: object, tolerance: float) -> bool:
    """Whether two cells say the same; a cell may hold several numbers, separated by spaces."""
    if x == y or (pd.isna(x) and pd.isna(y)):
        return True
    if pd.isna(x) or pd.isna(y):
        return False
    try:
        first, second = (np.array([np.nan if p == "NA" else float(p) for p in str(v).split(" ")]) for v in (x, y))
    except ValueError:
        return False
    return first.shape == second.shape and np.allclose(first, second, rtol=tolerance, atol=1e-8, equal_nan=True)


def latents_differ(before: Path, after: Path, tolerance: float) -> list[str]:
    """Lines on two ``latents.h5ad``; latents have variance 1, so the tolerance is an absolute one too."""
    if not after.exists():
        return ["is missing"]
    a, b = ad.read_h5ad(before), ad.read_h5ad(after)
    if list(a.obs_names) != list(b.obs_names) or list(a.var_names) != list(b.var_names):
        return ["other samples or dimensions"]
    arrays = {"X": (a.X, b.X)}
    arrays |= {f"layers/{name}": (a.layers[name], b.layers[name]) for name in a.layers}
    arrays |= {f"varm/{name}": (a.varm[name], b.varm[name]) for name in a.varm}
    # float32 keeps seven digits: the tolerance of what went through it is that of its own rounding
    loose = max(tolerance, 2e-6)
    return [
        f"{name}: largest difference {np.abs(np.asarray(x) - np.asarray(y)).max():.2g}"
        for name, (x, y) in arrays.items()
        if not np.allclose(x, y, rtol=loose, atol=loose, equal_nan=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    making = verbs.add_parser("make")
    making.add_argument("out", type=Path)
    making.add_argument("--commit")
    making.add_argument("--only", nargs="+", choices=RUNS, default=list(RUNS))
    comparing = verbs.add_parser("compare")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    comparing.add_argument("--tolerance", type=float, default=1e-6)
    comparing.add_argument("--texts", action="store_true")
    given = parser.parse_args()
    if given.verb == "make":
        make(given.out.absolute(), given.commit, given.only)
        return
    found = compare(given.before, given.after, given.tolerance, given.texts)
    print("\n".join(found) if found else "nothing differs")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
