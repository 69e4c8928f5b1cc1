"""Cohorts whose truth is planted: programmes over real gene symbols, a disease and a response with known causes.

Every donor has an activity for each programme (age, interferon, composition, sex, batch and, in the buried design,
25 larger nuisance programmes). Expression is ``activity @ loadings + noise`` on a log2-like scale; disease and
response are drawn from the activities. The truth goes to ``truth.csv`` and is never read by the workflow.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from importlib import resources
from math import inf
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from mtlbio.cohort.genesets import builtin_sets
from mtlbio.errors import InputError, listing
from mtlbio.files import replacing

SHAPES = ("linear", "u", "step", "age_x_batch")
CAUSES = ("interferon", "age", "batch", "nothing")


@dataclass(frozen=True)
class Design:
    """What is planted.

    Attributes
    ----------
    donors, genes, batches : sizes of the cohort
    visits : samples per donor; visits of a donor share age, disease and interferon up to visit noise
    interferon_effect, age_effect : log odds of disease per standard deviation of interferon / of the shaped age
    shape : how age acts on disease: ``linear``, ``u``, ``step`` or with opposite signs by batch (``age_x_batch``)
    batch_disease : probability that a donor's batch belongs to its disease state's half of the batches
        (.5 balanced, 1 nested)
    interferon_age : correlation of the interferon activity with age
    response : what drives the response
    labelled : share of the diseased donors whose response is known
    interferon_genes, interferon_loading : size of the interferon programme and mean absolute loading of its genes
    nuisance, nuisance_genes, nuisance_loading : number, size and mean absolute loading of the nuisance programmes
    """

    donors: int = 300
    genes: int = 2000
    batches: int = 4
    visits: int = 1
    interferon_effect: float = 1.5
    age_effect: float = 0.8
    shape: str = "linear"
    batch_disease: float = 0.5
    interferon_age: float = 0.0
    response: str = "interferon"
    labelled: float = 0.8
    interferon_genes: int = 60
    interferon_loading: float = 0.8
    nuisance: int = 0
    nuisance_genes: int = 120
    nuisance_loading: float = 0.8

    def __post_init__(self):
        for key, choices in (("shape", SHAPES), ("response", CAUSES)):
            if getattr(self, key) not in choices:
                raise InputError(f"{key}: found {getattr(self, key)!r}; valid: {listing(choices)}")
        check_bounds(self, donors=(10, inf), genes=(300, inf), batches=(2, inf), visits=(1, inf))
        check_bounds(self, batch_disease=(0.5, 1), interferon_age=(-0.99, 1), labelled=(0, 1))


def check_bounds(design: object, **bounds: tuple[float, float]) -> None:
    """Refuse fields of a design that are not within their bounds."""
    for key, (low, high) in bounds.items():
        if not low <= getattr(design, key) <= high:
            valid = f"{low:g} or more" if high == inf else f"{low:g} to {high:g}"
            raise InputError(f"{key}: found {getattr(design, key)}; valid: {valid}")


DESIGNS = {
    "clear": Design(),
    "correlated": Design(interferon_age=0.6),
    "confounded": Design(batch_disease=0.85),
    "nested": Design(batch_disease=1.0),
    "buried": Design(interferon_genes=30, interferon_loading=0.7, age_effect=0.0, nuisance=25),
    "null": Design(interferon_effect=0.0, age_effect=0.0, response="nothing"),
}


@dataclass(frozen=True)
class Simulation:
    """A planted cohort: ``expression`` (samples x genes), ``metadata``, ``truth`` (activities and the log odds
    of disease and response, samples x programmes), ``loadings`` (programmes x genes) and the ``design``."""

    expression: pd.DataFrame
    metadata: pd.DataFrame
    truth: pd.DataFrame
    loadings: pd.DataFrame
    design: Design


def simulate(design: Design | str = "clear", seed: int = 0, **changes) -> Simulation:
    """Plant a cohort.

    Parameters
    ----------
    design : a :class:`Design` or the name of one (``clear``, ``correlated``, ``confounded``, ``nested``, ``buried``,
        ``null``)
    seed : fixes every number
    **changes : fields of the design to replace

    Raises
    ------
    InputError
        Unknown design, or a value that cannot be planted.

    Examples
    --------
    >>> planted = simulate("clear", seed=1, donors=60, genes=300)
    >>> planted.expression.shape, planted.metadata.columns.tolist()[:4]
    ((60, 300), ['sample_id', 'donor_id', 'disease', 'age'])

    The same seed gives the same cohort, a field of the design another one:

    >>> planted.expression.equals(simulate("clear", seed=1, donors=60, genes=300).expression)
    True
    >>> simulate("clear", seed=1, donors=60, genes=300, batch_disease=1.0).design.batch_disease
    1.0
    """
    if isinstance(design, str):
        if design not in DESIGNS:
            raise InputError(f"design: found {design!r}; valid: {listing(DESIGNS)}")
        design = DESIGNS[design]
    design = replace(design, **changes)
    rng = np.random.default_rng([seed, 20])
    people, activity, odds = _people(design, rng)
    loadings = _loadings(design, list(activity), rng)
    rows = np.repeat(np.arange(design.donors), design.visits)
    samples = [f"S{i + 1:04d}" for i in rows]
    if design.visits > 1:
        samples = [f"P{i + 1:04d}_{v + 1}" for i in range(design.donors) for v in range(design.visits)]
    truth = pd.DataFrame(activity).iloc[rows].reset_index(drop=True)
    if design.visits > 1:  # what a person's state does between visits; age, sex and batch stay
        for name in ("interferon", "composition"):
            truth[name] += 0.3 * rng.standard_normal(len(truth))
    base = rng.uniform(4, 11, design.genes)
    spread = rng.uniform(0.6, 1.0, design.genes)
    values = truth.to_numpy() @ loadings.to_numpy() + rng.standard_normal((len(truth), design.genes))
    truth[list(odds)] = np.stack([odds[name][rows] for name in odds], axis=1)
    truth.index = pd.Index(samples, name="sample_id")
    metadata = people.iloc[rows].reset_index(drop=True)
    metadata.insert(0, "sample_id", samples)
    expression = pd.DataFrame((base + spread * values).round(3), truth.index, loadings.columns, dtype=np.float32)
    return Simulation(expression, metadata, truth, loadings, design)


def _people(
    design: Design, rng: np.random.Generator
) -> tuple[pd.DataFrame, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Of every donor (donors,): metadata, activity of every programme, log odds of disease and of response."""
    n = design.donors
    age = rng.uniform(20, 80, n)
    age_z = (age - 50) / (60 / np.sqrt(12))
    sex = rng.integers(0, 2, n)
    interferon = design.interferon_age * age_z + np.sqrt(1 - design.interferon_age**2) * rng.standard_normal(n)
    # age x batch needs the batch before the disease; else the batch follows the disease
    batch = rng.integers(0, design.batches, n)
    shaped = {
        "linear": age_z,
        "u": (age_z**2 - 1) / np.sqrt(0.8),  # variance of the square of a uniform with variance 1
        "step": np.where(age_z > 0, 1.0, -1.0),
        "age_x_batch": age_z * np.where(batch % 2 == 0, 1.0, -1.0),
    }[design.shape]
    disease_odds = design.interferon_effect * interferon + design.age_effect * shaped
    diseased = disease_odds - np.median(disease_odds) + rng.logistic(size=n) > 0
    if design.batch_disease > 0.5:
        half = np.array_split(np.arange(design.batches), 2)
        follows = rng.random(n) < design.batch_disease
        batch = np.array([rng.choice(half[int(d == f)]) for d, f in zip(diseased, follows, strict=True)])
    # evenly spread, then shuffled, so that the order of the labels carries nothing
    levels = rng.permutation(np.linspace(-1.3, 1.3, design.batches))
    cause = {"interferon": interferon, "age": age_z, "batch": levels[batch], "nothing": np.zeros(n)}[design.response]
    response_odds = 1.5 * cause
    responder = response_odds - np.median(response_odds[diseased]) + rng.logistic(size=n) > 0
    answered = diseased & (rng.random(n) < design.labelled)
    activity = {
        "age": 0.95 * age_z + np.sqrt(1 - 0.95**2) * rng.standard_normal(n),
        "interferon": interferon,
        "composition": rng.standard_normal(n),
        "sex": sex * 2.0 - 1.0,
        "batch": levels[batch] + 0.1 * rng.standard_normal(n),
    }
    activity |= {f"nuisance{k + 1:02d}": rng.standard_normal(n) for k in range(design.nuisance)}
    people = pd.DataFrame(
        {
            "donor_id": [f"P{i + 1:04d}" for i in range(n)],
            "disease": np.where(diseased, "case", "control"),
            "age": age.round(1),
            "sex": np.array(["female", "male"])[sex],
            "batch": [f"B{b + 1}" for b in batch],
            "response": pd.Series(np.where(responder, "responder", "non_responder")).where(answered),
        }
    )
    return people, activity, {"disease_log_odds": disease_odds, "response_log_odds": response_odds}


def _loadings(design: Design, programmes: list[str], rng: np.random.Generator) -> pd.DataFrame:
    """Loadings (programmes x genes) of unit-noise genes: gamma sizes, so that few genes lead and none is null."""
    sets = builtin_sets()
    named = {
        "interferon": sets["INTERFERON_RESPONSE"][: design.interferon_genes],
        "composition": sets["NEUTROPHIL"] + sets["T_CELL"],
        "sex": sets["SEX_CHROMOSOME"],
    }
    every = list(dict.fromkeys(g for genes in named.values() for g in genes))
    background = [g for g in _gene_symbols() if g not in set(every)]
    background += [f"GENE{i:05d}" for i in range(max(0, design.genes - len(every) - len(background)))]
    genes = every + [str(g) for g in rng.choice(background, design.genes - len(every), replace=False)]
    place = {g: i for i, g in enumerate(genes)}
    free = np.arange(len(every), len(genes))
    sizes = {"age": (80, 0.7), "interferon": (design.interferon_genes, design.interferon_loading)}
    sizes |= {"composition": (100, 0.8), "sex": (20, 1.0), "batch": (design.genes // 6, 0.6)}
    loadings = np.zeros((len(programmes), len(genes)))
    for row, programme in enumerate(programmes):
        size, strength = sizes.get(programme, (design.nuisance_genes, design.nuisance_loading))
        fixed = [place[g] for g in named.get(programme, ())]
        members = np.concatenate([fixed, rng.choice(free, max(0, size - len(fixed)), replace=False)]).astype(int)
        sign = rng.choice([-1.0, 1.0], len(members))
        if programme == "interferon":
            sign[:] = 1.0  # interferon-stimulated genes rise together
        if programme == "composition":  # more neutrophils, fewer T cells
            sign = np.where(np.isin(members, [place[g] for g in sets["T_CELL"]]), -1.0, 1.0)
        loadings[row, members] = sign * rng.gamma(4.0, strength / 4.0, len(members))
    order = rng.permutation(len(genes))
    return pd.DataFrame(loadings[:, order], programmes, np.array(genes)[order])


def _gene_symbols() -> list[str]:
    """Real symbols for the background: the genes of the leukaemia cohort that ships with the package."""
    path = resources.files("mtlbio.cohort") / "data" / "leukaemia" / "expression.parquet"
    with resources.as_file(path) as file:
        return [name for name in pq.read_schema(file).names if name not in ("sample_id", "__index_level_0__")]


_RUN = """\
# A planted cohort: truth.csv knows what drives what, and the workflow never reads it.
run: {name}
expression: {{path: expression.parquet, scale: log2}}
metadata: {{path: metadata.csv, sample: sample_id, donor: donor_id}}
tasks:
  disease:  {{kind: binary, column: disease, positive: case}}
  age:      {{kind: regression, column: age}}
  response: {{kind: binary, column: response, positive: responder}}   # missing for controls and some cases
covariates:
  age:   {{role: confounder, kind: continuous}}
  sex:   {{role: confounder}}
  batch: {{role: technical}}
gene_sets: builtin
"""


def plant(directory: str | Path, name: str | None, seed: int, design: str = "clear", **sizes: int) -> Path:
    """Simulate a cohort and write it; ``sizes`` as :func:`simulate` takes them."""
    return write_simulation(directory, simulate(design, seed, **sizes), name or "planted")


def write_simulation(directory: str | Path, simulation: Simulation, name: str = "planted") -> Path:
    """Write ``expression.parquet``, ``metadata.csv``, ``truth.csv``, ``loadings.csv`` and ``run.yaml``.

    Returns
    -------
    Path of the ``run.yaml`` that analyses the cohort.

    Examples
    --------
    >>> path = write_simulation("written", simulate(seed=1, donors=60, genes=300))
    >>> path.as_posix(), sorted(file.name for file in path.parent.glob("*.csv"))
    ('written/run.yaml', ['loadings.csv', 'metadata.csv', 'truth.csv'])
    """
    tables = {
        "expression.parquet": simulation.expression.to_parquet,
        "metadata.csv": partial(simulation.metadata.to_csv, index=False),
        "truth.csv": partial(simulation.truth.to_csv, float_format="%.6g"),
        "loadings.csv": partial(simulation.loadings.T.to_csv, float_format="%.6g", index_label="gene"),
    }
    return write_files(directory, tables, _RUN.format(name=name))


def write_files(directory: str | Path, tables: Mapping[str, Callable[[Path], object]], run: str) -> Path:
    """Write tables, each by its function, and the text of ``run.yaml``; gives the path of the YAML."""
    for name, write in tables.items():
        with replacing(Path(directory) / name) as path:
            write(path)
    with replacing(Path(directory) / "run.yaml") as path:
        path.write_text(run, encoding="utf-8")
    return Path(directory) / "run.yaml"
