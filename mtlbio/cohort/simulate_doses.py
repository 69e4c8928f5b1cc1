"""Three drugs whose truth is planted: one enzyme clears them all, each to its own degree.

A patient's enzyme is as active as both alleles of its gene together, times how strongly the gene is expressed. The dose
of a drug is a product: its base, the activity to the power of the drug's affinity, body weight to the power of .75,
age, and noise. An inhibitor matters for one drug only, neutral variants for none. Most patients take one drug, so the
three doses are known for partly disjoint people. ``truth.csv`` is never read by the workflow.
"""

from dataclasses import dataclass, replace
from functools import partial
from math import inf
from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.cohort.simulate import check_bounds, write_files
from mtlbio.errors import InputError

DRUGS = ("drug_a", "drug_b", "drug_c")
# Activity of an allele, and its frequency in each ancestry.
ALLELES = {"*1": 1.0, "*2": 0.55, "*3": 0.15}
FREQUENCIES = {"north": (0.66, 0.22, 0.12), "south": (0.70, 0.12, 0.18), "east": (0.80, 0.05, 0.15)}
ANCESTRIES = (0.5, 0.25, 0.25)
WEIGHTS = {"north": 80.0, "south": 75.0, "east": 68.0}
# mg per day; powers of the enzyme's activity; change of the log dose per decade of age; of the inhibitor
BASE = (5.0, 40.0, 150.0)
AFFINITY = (1.0, 0.6, 0.8)
AGEING = (-0.03, -0.05, -0.04)
INHIBITION = (0.0, -0.5, 0.0)
ALLOMETRY = 0.75
EXPRESSION = 0.15  # standard deviation of the log expression


@dataclass(frozen=True)
class DoseDesign:
    """What is planted.

    Attributes
    ----------
    a, b, c : patients whose dose of each drug is known
    both : share of the patients on drug A whose dose of drug B is known too, of the ``b``
    variants : neutral variants that a panel has measured as well
    noise : standard deviation of the log dose
    missing : share of the genotypes, and of the expressions, that are missing
    sites : where patients were recruited; sites differ in ancestry and in nothing else
    effect : of the enzyme and of the inhibitor on the log dose, as a share of what is planted; 0: they drive nothing
    """

    a: int = 1000
    b: int = 1000
    c: int = 40
    both: float = 0.2
    variants: int = 8
    noise: float = 0.2
    missing: float = 0.03
    sites: int = 5
    effect: float = 1.0

    def __post_init__(self):
        check_bounds(self, a=(10, inf), b=(10, inf), c=(10, inf), variants=(0, inf), sites=(2, inf))
        check_bounds(self, both=(0, 1), missing=(0, 0.5), noise=(0, 5))
        if self.both * self.a > self.b:
            raise InputError(f"both: {self.both:g} of {self.a} patients on drug A are more than the {self.b} on drug B")


@dataclass(frozen=True)
class Doses:
    """``table``: one row per patient, doses in mg per day, NaN where the patient does not take the drug; ``truth``: log
    activities and the log doses of every patient on every drug, without and with its noise (``..._taken``)."""

    table: pd.DataFrame
    truth: pd.DataFrame
    design: DoseDesign


def simulate_doses(design: DoseDesign | None = None, seed: int = 0, **changes) -> Doses:
    """Plant patients; ``changes`` are fields of the design to replace, ``seed`` fixes every number.

    Raises
    ------
    InputError
        A value that cannot be planted.
    """
    design = replace(design or DoseDesign(), **changes)
    rng = np.random.default_rng([seed, 50])
    shared = round(design.both * design.a)
    n = design.a + design.b - shared + design.c
    patients = [f"P{i + 1:05d}" for i in range(n)]
    names = list(FREQUENCIES)
    site = rng.integers(0, design.sites, n)
    # sites lean to one ancestry each
    lean = np.array(ANCESTRIES) + 0.8 * np.eye(3)[np.arange(design.sites) % 3]
    ancestry = np.array([rng.choice(3, p=lean[s] / lean[s].sum()) for s in site])
    alleles = np.sort([rng.choice(3, size=2, p=FREQUENCIES[names[a]]) for a in ancestry], axis=1)
    genotype = np.log(np.array(list(ALLELES.values()))[alleles].mean(axis=1))
    expression = rng.standard_normal(n)
    enzyme = genotype + EXPRESSION * expression
    sex = rng.integers(0, 2, n)
    mean_weight = np.array([WEIGHTS[names[a]] for a in ancestry]) + 8 * sex - 4
    weight = np.clip(mean_weight + 11 * rng.standard_normal(n), 40, 140)
    age = rng.uniform(20, 85, n)
    inhibitor = rng.random(n) < 0.15

    columns = {"patient": patients, "site": [f"S{s + 1}" for s in site], "ancestry": np.array(names)[ancestry]}
    columns |= {"sex": np.array(["female", "male"])[sex], "age": age.round(0), "weight": weight.round(1)}
    columns |= {"cyp": ["/".join(pair) for pair in np.array(list(ALLELES))[alleles]]}
    columns |= {"cyp_expression": expression.round(3), "inhibitor": np.where(inhibitor, "yes", "no")}
    table = pd.DataFrame(columns)
    for v in range(design.variants):
        copies = rng.binomial(2, rng.uniform(0.15, 0.5), n)
        table[f"variant_{v + 1}"] = np.array(["G/G", "A/G", "A/A"])[copies]
    truth = pd.DataFrame({"enzyme": enzyme, "genotype": genotype, "expression": expression})
    start = {"drug_a": 0, "drug_b": design.a - shared, "drug_c": n - design.c}
    sizes = dict(zip(DRUGS, (design.a, design.b, design.c), strict=True))
    for d, drug in enumerate(DRUGS):
        log_dose = np.log(BASE[d]) + design.effect * AFFINITY[d] * enzyme + ALLOMETRY * np.log(weight / 75)
        log_dose += AGEING[d] * (age - 50) / 10 + design.effect * INHIBITION[d] * inhibitor
        noisy = log_dose + design.noise * rng.standard_normal(n)
        truth[drug], truth[f"{drug}_taken"] = log_dose, noisy
        patient = np.arange(n) - start[drug]
        table[drug] = np.where((patient >= 0) & (patient < sizes[drug]), np.exp(noisy), np.nan)
    for column in ("cyp", "cyp_expression"):
        table.loc[rng.random(n) < design.missing, column] = np.nan
    truth.index = pd.Index(patients, name="patient")
    return Doses(table, truth, design)


_RUN = """\
# Three drugs cleared by one enzyme, planted: truth.csv knows what drives what, and the workflow never reads it.
run: {name}
features:
  path: doses.csv
  numeric: [age, weight, cyp_expression]
  categories: [cyp, inhibitor, sex, ancestry{variants}]
  groups: {{enzyme: [cyp, cyp_expression]}}          # one dimension for all that speaks of the enzyme
  rare: 5
metadata: {{sample: patient, donor: patient}}
tasks:
  drug_a: {{kind: regression, transform: log, unit: mg/day, head: multiplicative}}
  drug_b: {{kind: regression, transform: log, unit: mg/day, head: multiplicative}}
  drug_c: {{kind: regression, transform: log, unit: mg/day, head: multiplicative}}
covariates:
  ancestry: {{role: confounder}}
  weight:   {{role: confounder, kind: continuous}}
  age:      {{role: confounder, kind: continuous}}
  site:     {{role: technical}}
training: {{borrowing: true, seeds: 3}}
"""


def plant(directory: str | Path, name: str | None, seed: int, few: int | None = None) -> Path:
    """Simulate doses and write them; ``few`` patients have drug C."""
    doses = simulate_doses(seed=seed) if few is None else simulate_doses(seed=seed, c=few)
    return write_doses(directory, doses, name or "planted_doses")


def write_doses(directory: str | Path, doses: Doses, name: str = "doses") -> Path:
    """Write ``doses.csv``, ``truth.csv`` and ``run.yaml``; returns the path of the last."""
    tables = {
        "doses.csv": partial(doses.table.to_csv, index=False, float_format="%.6g", na_rep="NA"),
        "truth.csv": partial(doses.truth.to_csv, float_format="%.6g"),
    }
    variants = "".join(f", variant_{v + 1}" for v in range(doses.design.variants))
    return write_files(directory, tables, _RUN.format(name=name, variants=variants))
