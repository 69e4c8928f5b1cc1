"""The same lupus cohort through latents of other models: does the trial, and not the model, decide?

    python benchmarks/real/latents.py DATA [--axes 24] [--only pca mofa scale] [--own RESULTS]

- pca, mofa: principal components rotated by varimax, and MOFA2 factors, of all 734 arrays at once; the array chip has
  to be `technical`, and the dimension named by interferon `biology` for disease. ``--own``: the results of a run of
  mtlbio on the same cohort, whose verdicts are printed beside them;
- scale: 200 samples x 30 latents with a picture, and a million cells x 30 latents with donors: seconds and memory.

DATA holds ``sle`` and ``genesets``. MOFA2 needs ``mofapy2``.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import anndata as ad
import numpy as np
import pandas as pd

import mtlbio
from benchmarks.encoders.mofa import fitted, posterior_means
from mtlbio.embedding.simulate import rotated_components
from mtlbio.tables import read_table

MOFA_GENES = 3000
TASKS = {
    "disease": "SLE",
    "response": {"kind": "binary", "column": "response_180d", "positive": "responder"},
}
COVARIATES = {"age": "confounder", "sex": "confounder", "batch": "technical", "array_chip": "technical"}


def lupus(data: Path) -> ad.AnnData:
    """Arrays x genes, with what is known of them."""
    expression = pd.read_parquet(data / "sle" / "expression.parquet")
    expression = expression.set_index("sample_id") if "sample_id" in expression else expression
    obs = pd.read_csv(data / "sle" / "metadata.csv", dtype={"array_chip": str}).set_index("sample_id")
    obs = obs.loc[expression.index]
    adata = ad.AnnData(expression.to_numpy(dtype=np.float32), obs=obs)
    adata.var_names = list(expression.columns)
    return adata


def tried(adata: ad.AnnData, latents: np.ndarray, data: Path):
    """The trial of latents of all arrays."""
    adata.obsm["X"] = latents
    sets = str(data / "genesets" / "h.all.v2024.1.Hs.symbols.gmt")
    return mtlbio.trial(
        adata,
        "X",
        donor="donor_id",
        tasks=TASKS,
        covariates=COVARIATES,
        saw="donors",
        corrected_for=[],
        scale="log2",
        gene_sets=sets,
        cells=False,
    )


def by_mofa(values: np.ndarray, factors: int) -> np.ndarray:
    """Factors of MOFA2, the posterior means of the arrays that it was fitted to; of the genes that vary most, as its
    authors advise."""
    varying = np.sort(np.argsort(-values.var(axis=0), kind="stable")[:MOFA_GENES])
    values = values[:, varying]
    values = (values - values.mean(axis=0)) / (values.std(axis=0) + 1e-8)
    return posterior_means(values, *fitted(values, factors))


def shown(name: str, verdicts: pd.DataFrame) -> None:
    """Counts of verdicts, what is technical through the chip, and what interferon is."""
    chip = verdicts[(verdicts["verdict"] == "technical") & (verdicts["driver"] == "array_chip")]
    named = verdicts["driver"].astype(str).str.contains("INTERFERON")
    counts = ", ".join(f"{n} {v}" for v, n in verdicts["verdict"].value_counts().items())
    interferon = [f"{row.dim} {row.verdict}" for row in verdicts[named].itertuples()]
    print(f"{name:5s} {counts}")
    print(f"      technical through the chip: {', '.join(chip['dim']) or 'none'}; interferon: {', '.join(interferon)}")


def scale() -> None:
    """How long the trial of 200 samples takes with its picture, and that of a million cells."""
    rng = np.random.default_rng(0)
    n = 200
    obs = pd.DataFrame({"donor": [f"D{i}" for i in range(n)], "disease": rng.choice(["case", "control"], n)})
    obs["age"], obs["batch"] = rng.uniform(20, 80, n), rng.choice(["a", "b"], n)
    z = pd.DataFrame(rng.normal(size=(n, 30)), columns=[f"z{i:02d}" for i in range(30)])
    z["z00"] += (obs["disease"] == "case") * 1.0
    started = time.perf_counter()
    options = {"tasks": {"disease": "case"}, "covariates": {"age": "confounder", "batch": "technical"}}
    options |= {"donor": "donor", "saw": "donors", "corrected_for": []}
    found = mtlbio.trial(z, obs=obs, **options)
    with tempfile.TemporaryDirectory() as folder:
        found.report(Path(folder) / "page.html")
    print(f"200 samples x 30 latents, page included: {time.perf_counter() - started:.1f} s")
    cells = 1_000_000
    of = rng.integers(0, n, cells)
    wide = (z.to_numpy(dtype=np.float32)[of] + rng.normal(size=(cells, 30))).astype(np.float32)
    about = obs.iloc[of].set_index(pd.Index([f"cell{i}" for i in range(cells)]))
    adata = ad.AnnData(obs=about.astype({c: "category" for c in ("donor", "disease", "batch")}), obsm={"X_scVI": wide})
    started = time.perf_counter()
    found = mtlbio.trial(adata, "X_scVI", **options)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    took = time.perf_counter() - started
    print(f"1,000,000 cells x 30 latents: {took:.1f} s, {peak:.1f} GB at most; {found}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--axes", type=int, default=24)
    parser.add_argument("--only", nargs="+", default=["pca", "mofa", "scale"], choices=["pca", "mofa", "scale"])
    parser.add_argument("--own", type=Path, help="results of a run of mtlbio on the same cohort")
    given = parser.parse_args()
    if given.own is not None:
        shown("own", read_table(given.own / "verdicts.tsv"))
    adata = lupus(given.data) if {"pca", "mofa"} & set(given.only) else None
    if "pca" in given.only:
        latents = rotated_components(np.asarray(adata.X, dtype=float), given.axes)[0]
        shown("pca", tried(adata, latents, given.data).verdicts)
    if "mofa" in given.only:
        shown("mofa", tried(adata, by_mofa(np.asarray(adata.X, dtype=float), given.axes), given.data).verdicts)
    if "scale" in given.only:
        scale()


if __name__ == "__main__":
    main()
