"""The calibration grid: one thing varied at a time around a base design, at four sizes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from benchmarks.calibration.truth import World
from mtlbio.probing.rates import ALPHA

BASE = {"interferon": 1.0, "age_effect": 0.8, "batch_disease": 0.5, "batches": 2, "response": "interferon"}

# name -> what differs from the base
ARMS: dict[str, dict] = {
    "base": {},
    "disease does not follow age": {"age_effect": 0.0},
    "disease follows age weakly": {"age_effect": 0.4},
    "disease follows age strongly": {"age_effect": 1.5},
    "age acts U-shaped": {"shape": "u", "age_effect": 1.5},
    "age acts as a step": {"shape": "step", "age_effect": 1.5},
    "age acts by batch": {"shape": "age_x_batch", "age_effect": 1.5},
    "the age axis is U-shaped itself": {"shape": "u", "age_effect": 1.5, "shaped_axis": True},
    "the age axis is a step itself": {"shape": "step", "age_effect": 1.5, "shaped_axis": True},
    "the age axis turns with the batch": {"shape": "age_x_batch", "age_effect": 1.5, "shaped_axis": True},
    "P(batch = disease) .7": {"batch_disease": 0.7},
    "P(batch = disease) .85": {"batch_disease": 0.85},
    "P(batch = disease) .95": {"batch_disease": 0.95},
    "P(batch = disease) 1": {"batch_disease": 1.0},
    "4 batches": {"batches": 4},
    "12 batches": {"batches": 12},
    "4 batches, P .85": {"batches": 4, "batch_disease": 0.85},
    "interferon .5": {"interferon": 0.5},
    "interferon 1.5": {"interferon": 1.5},
    "interferon rises with age, r .6": {"interferon_age": 0.6},
    "programmes overlap": {"overlap": 0.3},
    "a third of each axis is noise": {"unexplained": 0.3},
    "latent too large: 20 idle axes": {"noise_dims": 20},
    "latent too small: batch and interferon share an axis": {"merged": "batch+interferon"},
    "latent too small: age and interferon share an axis": {"merged": "age+interferon"},
    "response through age": {"response": "age"},
    "response through the batch": {"response": "batch"},
    "three visits": {"visits": 3},
    "disease follows age only": {"interferon": 0.0, "age_effect": 1.5, "response": "nothing"},
    "disease follows age only, P .85": {
        "interferon": 0.0,
        "age_effect": 1.5,
        "response": "nothing",
        "batch_disease": 0.85,
    },
    "nothing causes anything": {"interferon": 0.0, "age_effect": 0.0, "response": "nothing"},
}


# of the whole pipeline; fields of mtlbio.cohort.simulate.Design, and how many axes the network may have
WHOLE: dict[str, dict] = {
    "base": {},
    "disease does not follow age": {"age_effect": 0.0},
    "age acts U-shaped": {"shape": "u", "age_effect": 1.5},
    "age acts as a step": {"shape": "step", "age_effect": 1.5},
    "age acts by batch": {"shape": "age_x_batch", "age_effect": 1.5},
    "P(batch = disease) .7": {"batch_disease": 0.7},
    "P(batch = disease) .85": {"batch_disease": 0.85},
    "P(batch = disease) 1": {"batch_disease": 1.0},
    "12 batches": {"batches": 12},
    "interferon rises with age, r .6": {"interferon_age": 0.6},
    "response through the batch": {"response": "batch"},
    "buried under 25 programmes": {"nuisance": 25},
    "latent too small: 3 axes": {"axes": 3},
    "disease follows age only": {"interferon": 0.0, "age_effect": 1.5, "response": "nothing"},
    "nothing causes anything": {"interferon": 0.0, "age_effect": 0.0, "response": "nothing"},
}


@dataclass(frozen=True)
class Cell:
    """One design of the grid.

    Attributes
    ----------
    arm, donors : what is varied, and the size
    changes : arguments of the generator
    alpha : ``probe.alpha`` of the trial
    """

    arm: str
    donors: int
    changes: dict = field(default_factory=dict)
    alpha: float = ALPHA

    @property
    def name(self) -> str:
        """Unique in the grid."""
        level = "" if self.alpha == ALPHA else f", alpha {self.alpha:g}"
        return f"{self.arm}{level}, {self.donors} donors"

    @property
    def slug(self) -> str:
        """Name of a file."""
        return re.sub(r"[^a-z0-9.]+", "_", self.name.lower()).strip("_")

    @property
    def world(self) -> World:
        """What is true in it."""
        interferon = self.changes["interferon"] != 0 or self.changes["response"] == "interferon"
        causal = frozenset({"interferon"} if interferon else ())
        apart = frozenset({"response"} if self.changes["response"] == "interferon" else ())  # only cases respond
        return World(causal, self.changes["batch_disease"], self.changes["batches"] > 2, apart)


def axes_grid(full: bool) -> list[tuple[Cell, int]]:
    """Cells with given axes and how many cohorts of each; the full grid has 600 at 80 and at 200 donors.

    A rate of 2.5 % is what the rule spends; 600 cohorts are what shows an upper bound below 5 %.
    """
    runs = {80: 600, 200: 600, 40: 100, 500: 40} if full else {80: 8, 200: 8}
    return [(Cell(arm, n, {**BASE, **changes}), count) for n, count in runs.items() for arm, changes in ARMS.items()]


def levels_grid(full: bool) -> list[tuple[Cell, int]]:
    """Cells with given axes at other levels of ``probe.alpha``, and how many cohorts of each."""
    changes = {arm: {**BASE, **those} for arm, those in ARMS.items()}
    sizes = [(alpha, n) for alpha in (0.01, 0.1, 0.2) for n in (80, 200)]
    cells = [Cell(arm, n, changes[arm], alpha) for alpha, n in sizes for arm in (ARMS if full else ("base",))]
    return [(cell, 10 if full else 4) for cell in cells]


# of the whole pipeline, in this order: the cells that a bar is set for come first
_KEY = {
    200: (
        "base",
        "P(batch = disease) 1",
        "disease follows age only",
        "nothing causes anything",
        "P(batch = disease) .7",
        "P(batch = disease) .85",
        "age acts U-shaped",
        "age acts as a step",
        "age acts by batch",
    ),
    300: ("base", "P(batch = disease) .7"),
    80: ("base", "disease follows age only", "nothing causes anything"),
}


def pipeline_grid(full: bool) -> list[tuple[Cell, int]]:
    """Cells of the whole pipeline and how many cohorts of each."""
    if not full:
        return [(_whole(arm, 200), 2) for arm in _KEY[200][:3]]
    cells = [_whole(arm, n) for n, arms in _KEY.items() for arm in arms]
    return [(cell, 20) for cell in cells + [_whole(arm, 200) for arm in WHOLE if arm not in _KEY[200]]]


def _whole(arm: str, donors: int) -> Cell:
    return Cell(arm, donors, {**BASE, "batches": 4, **WHOLE[arm]})
