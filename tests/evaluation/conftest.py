import numpy as np
import pandas as pd
import pytest

from mtlbio.cohort.cohort import Cohort, CovariateInfo
from mtlbio.labels import Binary, Multiclass, Ordinal, Regression


def planted_cohort(n_donors: int = 80, n_genes: int = 120, seed: int = 0) -> Cohort:
    """Two visits of every third donor; disease, age, stage and subtype each move genes of their own."""
    rng = np.random.default_rng([seed, 100])
    donor = np.sort(np.concatenate([np.arange(n_donors), np.arange(0, n_donors, 3)]))
    disease = rng.integers(0, 2, n_donors)[donor]
    age = rng.uniform(20, 80, n_donors)[donor]
    stage = rng.integers(0, 4, n_donors)[donor]
    subtype = rng.integers(0, 3, n_donors)[donor]
    # the site follows the disease in four of five donors, the chip follows nothing
    site = np.where(rng.random(n_donors)[donor] < 0.8, disease, 1 - disease)
    expression = rng.normal(size=(len(donor), n_genes))
    expression[:, :10] += 1.2 * disease[:, None]
    expression[:, 10:20] += 0.05 * age[:, None]
    expression[:, 20:30] += 0.8 * stage[:, None]
    expression[:, 30:50] += 1.5 * (subtype[:, None] == np.repeat([1, 2], 10))
    obs = pd.DataFrame(
        {
            "donor": [f"d{i:03d}" for i in donor],
            "disease": np.array(["healthy", "sick"], dtype=object)[disease],
            "age": age,
            "stage": np.array(["I", "II", "III", "IV"], dtype=object)[stage],
            "subtype": np.array(["A", "B", "C"], dtype=object)[subtype],
            "site": np.array(["north", "south"], dtype=object)[site],
            "chip": np.array([f"c{i:02d}" for i in range(40)], dtype=object)[rng.integers(0, 40, len(donor))],
        },
        index=[f"s{i:03d}" for i in range(len(donor))],
    )
    obs.iloc[:6, obs.columns.get_loc("disease")] = np.nan
    tasks = [
        Binary("disease", ("healthy", "sick")),
        Regression("age"),
        Ordinal("stage", ("I", "II", "III", "IV")),
        Multiclass("subtype", ("A", "B", "C")),
    ]
    covariates = [
        CovariateInfo("age", "confounder", "continuous"),
        CovariateInfo("site", "confounder", "categorical"),
        CovariateInfo("chip", "technical", "categorical"),
    ]
    return Cohort(
        expression.astype(np.float32),
        tuple(f"g{i}" for i in range(n_genes)),
        obs,
        {t.name: t for t in tasks},
        {c.name: c for c in covariates},
    )


@pytest.fixture(scope="session")
def planted() -> Cohort:
    return planted_cohort()
