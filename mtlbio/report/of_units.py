"""A dimension and what drives it, side by side for every donor or sample."""

from __future__ import annotations

import pandas as pd

from mtlbio.probing.enrichment import set_scores
from mtlbio.report.inputs import Inputs


def frame_of(inputs: Inputs, dim: str, driver: str | None) -> tuple[pd.DataFrame, str]:
    """Latent, driver and labels: one row per donor where the driver belongs to the donor, else per sample; and what a
    row is, in the run's words."""
    frame = pd.DataFrame({dim: inputs.latents[dim], "donor": inputs.obs["donor"].astype(str)})
    columns = [*inputs.tasks, *inputs.covariates, *([driver] if driver in inputs.obs.columns else [])]
    for name in dict.fromkeys(columns):
        column = inputs.obs[name]
        frame[name] = column.astype(float if pd.api.types.is_numeric_dtype(column) else object)
    of_donor = driver is None or driver in inputs.members  # a programme is judged per donor, like the trial does
    if driver in inputs.members:
        frame["driver"] = set_score(inputs, inputs.members[driver])
    elif driver is not None and driver not in frame:
        values = inputs.cohort.coding.decode(inputs.cohort.expression, driver)
        frame["driver"] = pd.Series(values, index=inputs.cohort.samples).reindex(frame.index)
    elif driver is not None:
        frame["driver"] = frame[driver]
    if driver is not None:
        of_donor = of_donor or (frame.groupby("donor")["driver"].nunique() <= 1).all()
        frame = frame[frame["driver"].notna()]
    if frame["donor"].is_unique:
        return frame, inputs.words.units
    if not of_donor:
        return frame, inputs.words.samples
    means = {dim, "driver"} if driver in inputs.members else {dim}
    how = {column: "mean" if column in means else "first" for column in frame if column != "donor"}
    return frame.groupby("donor", sort=True).agg(how).reset_index(), inputs.words.units


def set_score(inputs: Inputs, genes: list[str]) -> pd.Series:
    """Mean z-score of a set's genes per sample (samples,)."""
    present = set(inputs.cohort.genes)
    scores = set_scores(inputs.cohort, {"": [gene for gene in genes if gene in present]})[:, 0]
    return pd.Series(scores, index=inputs.cohort.samples).reindex(inputs.latents.index)
