"""The model's genes of a file of new samples, in the model's order, and what the missing ones cost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.measurements import Measurements
from mtlbio.errors import InputError, listing
from mtlbio.intake.notes import notice
from mtlbio.model.ensemble import FINAL, Ensemble
from mtlbio.training.new_samples.checks import FINE, LOOK, REFUSED, Checks
from mtlbio.training.new_samples.loss import losses, without_genes
from mtlbio.training.new_samples.names import kind_of_names, match_genes

# With fewer of the model's genes than this, measured, a prediction rests on what the others say of the rest.
MIN_SHARED = 0.5
# Below this share not even a person who insists gets anything: nothing is known of the sample.
_LEAST = 0.01


def in_model_order(data: Measurements, ensemble: Ensemble) -> Measurements:
    """Genes of the cohort, in its order and under its names; NaN where the file has none; says how names were matched.

    Raises
    ------
    InputError
        Hardly any of the model's genes are there: with what the names look like.
    """
    match = match_genes(ensemble.genes, data.genes)
    used = ensemble.models[FINAL].features.genes_idx
    found = int((match.place[used] >= 0).sum())
    if found < max(_LEAST * len(used), 1):
        raise InputError(f"{data.source}: {_lacking(found, len(used))}; {_other_names(data, ensemble, match.mouse)}")
    for words in match.notes:
        notice(data.source, words, doubt=True)
    if match.mouse:
        notice(data.source, f"{match.mouse} genes match but for the case, as mouse symbols do; not taken", doubt=True)
    aligned = np.full((len(data.samples), len(ensemble.genes)), np.nan)
    there = match.place >= 0
    aligned[:, there] = data.dense()[:, match.place[there]]
    return replace(data, genes=np.array(ensemble.genes), matrix=aligned)


def check_measured(
    values: np.ndarray,
    samples: np.ndarray,
    ensemble: Ensemble,
    rank: int | None,
    known: tuple[Cohort, pd.DataFrame] | str,
    checks: Checks,
) -> None:
    """Say which of the model's genes are missing in ``values`` (n, p), and what that costs; refuse where most are.

    ``rank`` is the number of factors that fill them, None where the training mean does; ``known`` the training samples
    with their folds, or why they are not at hand.
    """
    used = ensemble.models[FINAL].features.genes_idx
    names, missing = np.array(ensemble.genes)[used], np.isnan(values)
    nowhere, share = missing.all(axis=0), 1 - missing.mean(axis=1)
    there = int((~nowhere).sum())
    why = f"of the model's {len(names)} genes, in any sample"
    checks.add(
        "genes_measured", "all samples", there / len(names), 1.0, MIN_SHARED, 1.0, _call(there / len(names)), why
    )
    for sample, value in zip(samples, share, strict=True):
        checks.add("genes_measured", sample, value, 1.0, MIN_SHARED, 1.0, _call(value), "of the model's genes")
    cost = _cost(nowhere | (missing.mean(axis=0) > 0.5), ensemble, rank, known, checks) if missing.any() else ""
    if there < MIN_SHARED * len(names):
        constant = any(row["check"] == "genes_constant" and row["value"] for row in checks.rows)
        lacking = _lacking(there, len(names)) + (" and not constant" if constant else "")
        checks.refuse(f"{lacking}; at least {MIN_SHARED:.0%} are needed{cost}")
        return
    how = "count as average" if rank is None else "are filled with what the others say of them"
    if nowhere.any():
        checks.look(f"{nowhere.sum()} of the model's {len(names)} genes {how}: {listing(names[nowhere], 5)}{cost}")
    some = missing[np.ix_(share > 0, ~nowhere)]
    if some.any():
        checks.look(
            f"{some.sum():,} values of {some.any(axis=1).sum()} samples are missing ({some.mean():.1%}) and "
            f"{how.replace('the others say', 'the rest of the sample says')}"
        )
    nothing = share == 0
    if nothing.any() and not nothing.all():
        checks.look(
            f"{nothing.sum()} samples have none of the genes and get no prediction: {listing(samples[nothing], 3)}"
        )
    few = (share < MIN_SHARED) & ~nothing
    if (few | nothing).all():
        checks.refuse(f"no sample has {MIN_SHARED:.0%} of the model's {len(names)} genes (the best {share.max():.0%})")
    elif few.any():
        checks.look(f"{few.sum()} samples have fewer than {MIN_SHARED:.0%} of the genes: {listing(samples[few], 3)}")


def _cost(
    gone: np.ndarray,
    ensemble: Ensemble,
    rank: int | None,
    known: tuple[Cohort, pd.DataFrame] | str,
    checks: Checks,
) -> str:
    """What the missing genes cost every task, in words; a row for each."""
    if not gone.any():
        return ""
    if isinstance(known, str):
        return f"; what that costs cannot be told ({known})"
    missing = np.zeros(len(ensemble.genes), dtype=bool)
    missing[ensemble.models[FINAL].features.genes_idx[gone]] = True
    found = losses(*known, ensemble, without_genes(ensemble, missing, rank or 0, mean=rank is None))
    for loss in found:
        why = (
            f"{loss.metric} of {loss.samples} held-out training samples without the missing genes; expected: with them"
        )
        checks.add("expected_loss", loss.task, loss.gap, loss.whole, why=why)
    return f"; expected of that, on held-out training samples: {listing(found, 12)}" if found else ""


def _call(share: float) -> str:
    return FINE if share == 1 else LOOK if share >= MIN_SHARED else REFUSED


def _lacking(found: int, all_: int) -> str:
    return f"{found} of the model's {all_} genes found"


def _other_names(data: Measurements, ensemble: Ensemble, mouse: int) -> str:
    """What the names of a file look like where they are not those of the model."""
    shown = f"the model has {listing(ensemble.genes, 3)}; the file has {listing(data.genes, 3)}"
    if mouse:
        return (
            f"{mouse} would match but for the case, as mouse symbols do: map them to human orthologues first ({shown})"
        )
    ours, theirs, rows = (kind_of_names(names) for names in (ensemble.genes, data.genes, data.samples))
    if rows and rows != ours and rows != theirs:
        return (
            f"the rows look like {rows}: genes in rows? The model was trained on {ours or 'others'}; map them ({shown})"
        )
    if ours and theirs and ours != theirs:
        return f"the model was trained on {ours} and these look like {theirs}: map them first ({shown})"
    return shown
