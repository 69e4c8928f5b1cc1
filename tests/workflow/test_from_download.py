"""From the download of a public repository to the page, by the line that README.md gives: planted cohorts, written as
GEO, cBioPortal and CELLxGENE write them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import anndata as ad
import downloads
import numpy as np
import pandas as pd
import pytest

from mtlbio.cohort.simulate import simulate
from mtlbio.probing.verdict import VERDICTS as WORDS
from mtlbio.tables import METRICS, VERDICTS, read_table
from mtlbio.workflow import snakefile

README = Path(__file__).parents[2] / "README.md"
DONORS, GENES = 80, 300
# what README.md calls the download -> what stands for it here
DOWNLOADS = {
    "GSE12345_series_matrix.txt.gz": (downloads.geo, "scale: log2"),
    "brca_tcga_pan_can_atlas_2018/": (downloads.cbioportal, "scale: linear"),
    "cells.h5ad": (downloads.cellxgene, "scale: counts, layer: raw, genes: feature_name"),
}


def line_of_readme(download: str) -> str:
    """The line for a download, as it stands in README.md."""
    lines = [line.split("#")[0].strip() for line in README.read_text().splitlines()]
    (line,) = [line for line in lines if line.startswith(f"mtlbio init {download} ")]
    return line


@pytest.mark.slow
@pytest.mark.parametrize("download", DOWNLOADS)
def test_one_line_from_a_download_to_the_page(download, tmp_path):
    write, expression = DOWNLOADS[download]
    planted = simulate("clear", 1, donors=DONORS, genes=GENES)
    given = write(tmp_path, planted)
    line = line_of_readme(download).replace(download, given.name)
    (tmp_path / "mtlbio").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mtlbio "$@"\n')
    (tmp_path / "mtlbio").chmod(0o755)
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": str(snakefile().parents[1])}
    environment |= {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(line, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"{expression}}}" in (tmp_path / "run.yaml").read_text()
    (results,) = [p.parent for p in (tmp_path / "results").glob("*/report.html")]

    cohort = ad.read_h5ad(results / "cohort.h5ad")
    assert cohort.shape == (DONORS, GENES) and set(cohort.var_names) == set(planted.expression)
    assert cohort.obs["donor"].nunique() == DONORS
    page = re.sub(r"<[^>]+>", " ", (results / "report.html").read_text())
    assert re.search(rf"\b{DONORS} donors", page), page[:2000]

    # three tasks, of which those that were planted strongly are learnt, and follow-up where there is some
    metrics = read_table(results / "metrics.tsv", METRICS)
    of = metrics[metrics["arm"] == "multitask"].set_index(["task", "metric"])["value"]
    tasks = set(of.index.get_level_values("task"))
    age = next(task for task in tasks if task.startswith("age"))
    followed = {"os"} if write is downloads.cbioportal else set()
    assert tasks == {"disease", "response", age} | followed
    assert of["disease", "auroc"] > 0.65 and of[age, "r2"] > 0.5

    # a verdict for every dimension, the planted interferon programme named, age and the batch not taken for biology
    verdicts = read_table(results / "verdicts.tsv", VERDICTS)
    assert list(verdicts["dim"]) == [f"z{i + 1:02d}" for i in range(len(verdicts))] and len(verdicts) >= 4
    assert set(verdicts["verdict"]) <= set(WORDS) and verdicts["why"].str.len().min() > 20
    assert all(re.search(rf"\b{dim}\b", page) for dim in verdicts["dim"])
    judged = verdicts.set_index("dim")[["verdict", "driver"]]
    latents = pd.DataFrame(np.asarray(ad.read_h5ad(results / "latents.h5ad").X), columns=verdicts["dim"])
    truth = planted.truth.reset_index(drop=True)
    follows = {name: latents.corrwith(truth[name]).abs() for name in ("interferon", "age")}
    assert follows["interferon"].max() > 0.8 and follows["age"].max() > 0.8
    assert judged.loc[follows["interferon"].idxmax()].tolist() == ["biology", "INTERFERON_RESPONSE"]
    assert judged.loc[follows["age"].idxmax()].tolist() == ["confounder", age]
    assert not set(judged["driver"][judged["verdict"] == "biology"]) & {age, "batch", "sex", "gender"}
