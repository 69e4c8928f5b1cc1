"""What the sites of a study have to agree on, and its fingerprint."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np

from mtlbio.federation.rows import Rows
from mtlbio.kinds.schemas import DonorRun
from mtlbio.labels import Label

# Relative to the total variance of what the heads read, strong to weak.
PENALTIES = np.logspace(1, -4, 11)
MOST_COLUMNS = {"all": 300, "pca": 5000, "sparse": 5000}  # products of columns are sent for each fold, or once


def agreed(run: DonorRun, rows: Rows) -> dict[str, Any]:
    """The options that all sites share, as JSON holds them; columns of the metadata may be called otherwise."""
    options = run.federation
    assert options is not None, "a run without federation"
    same = options.model_dump(mode="json", exclude={"name", "site"})
    kinds = {name: loss_name(label) for name, label in sorted(rows.labels.items())}
    widths = {name: columns.shape[1] for name, columns in sorted(rows.covariates.items())}
    return same | {"sparsity": run.training.sparsity, "tasks": kinds, "covariates": widths}


def loss_name(label: Label) -> str:
    """``time``, ``classes`` or ``number``: what the loss of a label's head is that of."""
    if label.follow_up(np.zeros(0)) is not None:
        return "time"
    return "classes" if label.classes else "number"


def fingerprint_of(options: dict[str, Any]) -> str:
    """Sixteen digits that are the same where all options are."""
    return hashlib.sha256(json.dumps(options, sort_keys=True).encode()).hexdigest()[:16]
