"""A small cohort on disk that prepares without complaint, and ways to spoil it."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

DONORS, GENES = 24, 30

RUN = {
    "run": "small",
    "expression": {"path": "expression.csv", "scale": "log2"},
    "metadata": {"path": "metadata.csv"},
    "tasks": {"disease": {"kind": "binary", "positive": "case"}, "age": {"kind": "regression"}},
    "covariates": {
        "age": {"role": "confounder", "kind": "continuous"},
        "sex": {"role": "confounder"},
        "batch": {"role": "technical"},
    },
}


class SmallCohort:
    """Expression (samples x genes), metadata and run of a cohort, to be changed and then written.

    24 donors with two visits each; donor ids have leading zeros, chips are long numbers.
    """

    def __init__(self, folder: Path, seed: int = 0):
        rng = np.random.default_rng(seed)
        self.folder = folder
        donors = [f"{i:03d}" for i in range(1, DONORS + 1)]
        rows = [(f"S{d}_{v}", d, v) for d in donors for v in (1, 2)]
        self.metadata = pd.DataFrame(rows, columns=["sample_id", "donor_id", "visit"])
        code = np.repeat(np.arange(DONORS), 2)
        self.metadata["disease"] = np.where(code % 3 == 0, "control", "case")
        self.metadata["age"] = np.round(20 + code + 0.5 * (self.metadata["visit"] - 1), 1)
        self.metadata["sex"] = np.where(code % 2 == 0, "female", "male")
        self.metadata["batch"] = np.where(rng.random(2 * DONORS) < 0.5, "B1", "B2")
        self.metadata["chip"] = [str(5730053041 + i % 6) for i in range(2 * DONORS)]
        self.metadata["stage"] = np.array(["low", "mid", "high"])[code % 3]
        values = np.round(rng.normal(7, 1, (2 * DONORS, GENES)), 4)
        self.expression = pd.DataFrame(
            values, columns=[f"GENE{g}" for g in range(1, GENES + 1)], index=self.metadata["sample_id"]
        )
        self.run = copy.deepcopy(RUN)

    def counts(self) -> None:
        """Turn the values into counts."""
        self.run["expression"]["scale"] = "counts"
        self.expression = np.floor(2 ** (self.expression - 3)).astype(int)

    def beta(self) -> None:
        """Turn the values into methylation fractions."""
        self.run["expression"]["scale"] = "beta"
        self.expression = 1 / (1 + np.exp(7 - self.expression))

    def set(self, key: str, value: object) -> None:
        """Change a dotted key of the run."""
        *parents, last = key.split(".")
        node = self.run
        for part in parents:
            node = node.setdefault(part, {})
        node[last] = value

    def write(self) -> Path:
        """Write the two csv files and the YAML; returns the YAML's path."""
        self.expression.to_csv(self.folder / "expression.csv")
        self.metadata.to_csv(self.folder / "metadata.csv", index=False)
        return self.write_run()

    def write_run(self) -> Path:
        """Write the YAML alone."""
        path = self.folder / "run.yaml"
        path.write_text(yaml.safe_dump(self.run, sort_keys=False))
        return path
