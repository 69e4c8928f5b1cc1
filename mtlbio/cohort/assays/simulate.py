"""Two assays of one cohort whose truth is planted: what is in one, in both, and what disturbs one of them.

Transcripts are those of :func:`mtlbio.cohort.simulate.simulate`: interferon drives disease, age, sex and composition
stand beside it, and a batch disturbs them. Proteins share interferon, have a programme ``secreted`` of their own, which
drives the outcome, and a plate disturbs them. Some donors lack one of the two, whatever else is true of them.
"""

from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.cohort.simulate import DESIGNS, check_bounds, simulate, write_files

# programme -> the blocks that it is in
WHERE = {
    "age": ("rna",),
    "interferon": ("rna", "proteins"),
    "composition": ("rna",),
    "sex": ("rna",),
    "batch": ("rna",),
    "secreted": ("proteins",),
    "plate": ("proteins",),
}
_SIZES = {"interferon": (50, 0.8), "secreted": (50, 0.8), "plate": (60, 0.7)}  # proteins, mean absolute loading


@dataclass(frozen=True)
class BlocksDesign:
    """What is planted.

    Attributes
    ----------
    donors, genes, proteins : sizes
    lacking : share of the donors who lack one of the two blocks, each as often
    outcome : log odds of the outcome per standard deviation of ``secreted``, which transcripts do not know
    by_interferon : the same per standard deviation of interferon, which they do
    disease, age : log odds of disease per standard deviation of interferon, and of age
    apart : whether proteins have anything but noise and the plate
    """

    donors: int = 200
    genes: int = 600
    proteins: int = 200
    lacking: float = 0.3
    outcome: float = 1.5
    by_interferon: float = 0.0
    disease: float = 1.5
    age: float = 0.8
    apart: bool = True

    def __post_init__(self):
        check_bounds(self, donors=(20, inf), genes=(300, inf), proteins=(170, inf), lacking=(0, 0.9))


@dataclass(frozen=True)
class PlantedBlocks:
    """``blocks`` by name (samples x features), ``metadata`` of all samples, ``truth`` (samples x programmes)."""

    blocks: dict[str, pd.DataFrame]
    metadata: pd.DataFrame
    truth: pd.DataFrame


def simulate_blocks(seed: int = 0, **changes) -> PlantedBlocks:
    """Plant two blocks; ``changes`` are fields of :class:`BlocksDesign`.

    Examples
    --------
    >>> planted = simulate_blocks(seed=1, donors=60, lacking=0.3)
    >>> {name: table.shape for name, table in planted.blocks.items()}
    {'rna': (51, 600), 'proteins': (51, 200)}
    """
    design = BlocksDesign(**changes)
    cohort = simulate(
        DESIGNS["clear"],
        seed,
        donors=design.donors,
        genes=design.genes,
        interferon_effect=design.disease,
        age_effect=design.age,
    )
    rng = np.random.default_rng([seed, 21])
    n, truth = design.donors, cohort.truth.drop(columns=["disease_log_odds", "response_log_odds"])
    plate = rng.integers(0, 4, n)
    truth["secreted"] = rng.standard_normal(n)
    truth["plate"] = rng.permutation(np.linspace(-1.3, 1.3, 4))[plate] + 0.1 * rng.standard_normal(n)
    odds = design.outcome * truth["secreted"] + design.by_interferon * truth["interferon"]
    good = odds - odds.median() + rng.logistic(size=n) > 0
    metadata = cohort.metadata.drop(columns="response")
    metadata["outcome"] = np.where(good, "good", "poor")
    metadata["plate"] = [f"L{p + 1}" for p in plate]
    order = rng.permutation(n)
    count = round(design.lacking * n)
    lack = {"rna": order[: count // 2], "proteins": order[count // 2 : count]}
    whole = {"rna": cohort.expression, "proteins": _proteins(design, truth, list(cohort.expression.columns), rng)}
    blocks = {name: table.drop(index=table.index[lack[name]]) for name, table in whole.items()}
    return PlantedBlocks(blocks, metadata, truth)


def _proteins(design: BlocksDesign, truth: pd.DataFrame, genes: list[str], rng: np.random.Generator) -> pd.DataFrame:
    """(samples, proteins) on a log2-like scale, named like genes; each programme has proteins of its own."""
    names = [str(name) for name in rng.choice(genes, design.proteins, replace=False)]
    loadings, free = np.zeros((len(_SIZES), design.proteins)), rng.permutation(design.proteins)
    for row, (programme, (size, strength)) in enumerate(_SIZES.items()):
        members, free = free[:size], free[size:]
        if design.apart or programme == "plate":
            loadings[row, members] = rng.choice([-1.0, 1.0], size) * rng.gamma(4.0, strength / 4.0, size)
    values = truth[list(_SIZES)].to_numpy() @ loadings + rng.standard_normal((len(truth), design.proteins))
    values = rng.uniform(4, 11, design.proteins) + rng.uniform(0.6, 1.0, design.proteins) * values
    return pd.DataFrame(values.round(3), truth.index, names, dtype=np.float32)


_RUN = """\
# Two planted assays: truth.csv knows what drives what, and the workflow never reads it.
run: {name}
blocks:
  rna:      {{path: rna.parquet, scale: log2}}
  proteins: {{path: proteins.parquet, scale: log2}}   # some donors lack one of the two
metadata: {{path: metadata.csv}}
tasks:
  disease: {{kind: binary, positive: case}}
  outcome: {{kind: binary, positive: good}}
covariates:
  age:   {{role: confounder, kind: continuous}}
  sex:   {{role: confounder}}
  batch: {{role: technical}}
  plate: {{role: technical}}
gene_sets: builtin
"""


def plant(directory: str | Path, name: str | None, seed: int, **sizes: int) -> Path:
    """Write the assays, ``metadata.csv``, ``truth.csv`` and ``run.yaml``, whose path is given; ``sizes``: donors."""
    return write_blocks(directory, simulate_blocks(seed, **sizes), name or "planted_blocks")


def write_blocks(directory: str | Path, planted: PlantedBlocks, name: str) -> Path:
    """Write planted blocks as :func:`plant` does; gives the path of the YAML."""
    tables = {f"{block}.parquet": table.to_parquet for block, table in planted.blocks.items()}
    tables |= {
        "metadata.csv": partial(planted.metadata.to_csv, index=False),
        "truth.csv": partial(planted.truth.to_csv, float_format="%.6g"),
    }
    return write_files(directory, tables, _RUN.format(name=name))
