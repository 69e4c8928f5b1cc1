"""The cohort of a run whose features are a table."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.content import in_one_spelling, without_missing
from mtlbio.cohort.leak import say_leaks
from mtlbio.cohort.metadata import by_sample, read_metadata, text_table
from mtlbio.cohort.qc import QcList
from mtlbio.cohort.read import Raw, described, joined, label_columns, without_genes
from mtlbio.cohort.samples import auxiliary_apart, checked, list_missing_covariates, samples_of
from mtlbio.cohort.tabular import named_columns, plan_of
from mtlbio.errors import InputError
from mtlbio.kinds.schemas import TableRun
from mtlbio.progress import say
from mtlbio.text import suggestion


def cohort_of_table(run: TableRun) -> tuple[Cohort, QcList]:
    """Coded features of samples, and the list of what was dropped on the way."""
    qc = QcList()
    say(f"{run.run}: reading {Path(run.features.path).name}")
    raw = read_roster(run, qc)
    data, obs, tasks, covariates = samples_of(run, raw, qc)
    obs = checked(run, obs, tasks, covariates, raw.source)
    table, codes = read_features(run), run.metadata.missing
    known = without_missing(table.loc[data.samples], codes, run.features.path)
    for column in known.columns[table.attrs["numeric"] :]:
        known[column] = in_one_spelling(known[column], run, run.features.path)
    plan = plan_of(known, table.attrs["numeric"], run.features, run.features.path, qc)
    plan = replace(plan, missing=tuple(codes))
    values = plan.code(known, run.features.path)
    say_leaks(values, np.array(plan.columns), obs, tasks, run.features.path, table=True)
    list_missing_covariates(obs, list(covariates), qc)
    coding = {"table": plan.saved(), "sample": run.metadata.sample}
    preprocessing = {"kind": run.kind, "scale": "table", "size": None, **coding}
    return auxiliary_apart(Cohort(values, plan.columns, obs, tasks, covariates, preprocessing), run), qc


def read_roster(run: TableRun, qc: QcList) -> Raw:
    """Labels and covariates of the samples of the table, from the metadata file or from the table itself."""
    files = (("metadata.path", run.metadata.path), ("features.path", run.features.path))
    key, source = next((key, path) for key, path in files if path is not None)
    metadata = described(run, read_metadata(source, key), source)
    samples = read_features(run).index.to_numpy().astype(str)
    return joined(run, without_genes(samples, run.features.path), metadata, source, qc, "features")


def read_features(run: TableRun) -> pd.DataFrame:
    """The columns of the run's table of features, as text, by sample.

    Raises
    ------
    InputError
        Unreadable file, a column that does not exist, a sample twice or without an identifier.
    """
    path, features = run.features.path, run.features
    table = read_metadata(path, "features.path")
    sample, columns = run.metadata.sample, table.columns
    about = run.metadata
    no_features = {sample, about.donor, about.family or sample, about.order or sample} | label_columns(run)
    numeric = named_columns(features.numeric, columns, no_features | set(features.categories), path, "numeric")
    categories = named_columns(features.categories, columns, no_features | set(numeric), path, "categories")
    if sample not in columns:
        raise InputError(f"{path}: metadata.sample: no column {sample!r}; {suggestion(sample, columns)}")
    coded = by_sample(text_table(table, [sample, *numeric, *categories]), sample, path)[[*numeric, *categories]]
    coded.attrs["numeric"] = len(numeric)
    return coded
