"""Latents that another model would have made: what is counted of them, and what is true where batch is disease."""

import pandas as pd

from benchmarks.calibration.cells import Cell
from benchmarks.calibration.other_models import even_mix, judge_latents, latents_grid
from benchmarks.calibration.score import TERM

CELLS = {cell.name: cell for cell, _ in latents_grid(True)}


def test_where_the_batch_is_the_disease_biology_is_said_of_the_response_alone():
    """Components of all donors are uncorrelated: that of the batch takes the disease along, and that of interferon is
    what is left, which differs between cases and drives their response. Nothing is wrong with saying so."""
    rows = judge_latents(CELLS["rotated, P 1, 200 donors"], 0)
    driver = rows[rows["role"] == "interferon"].iloc[0]
    assert (driver["verdict"], driver["about"], driver["wrong"]) == ("biology", "response", False)
    assert rows.loc[rows["role"] == "batch", "verdict"].tolist() == ["not_identifiable"]
    assert not (rows["verdict"].eq("biology") & rows["about"].eq("disease")).any()
    assert rows.filter(regex=f"^{TERM}").notna().all().all()


def test_rates_are_counted_on_as_many_nulls_as_cohorts_that_hold_something():
    def some(name: str, runs: int) -> pd.DataFrame:
        cell: Cell = CELLS[name]
        rows = pd.DataFrame({"cell": name, "run": list(range(runs)) * 2, "verdict": "unused"})
        return rows.assign(donors=cell.donors, separation=cell.changes["batch_disease"])

    counts = {"rotated, P 0.5, 80 donors": 40, "nothing causes anything, P 0.5, 80 donors": 200}
    counts |= {"rotated, disease follows age only, 80 donors": 100, "nothing causes anything, P 0.85, 80 donors": 200}
    counts |= {"rotated, P 0.85, 80 donors": 40, "nothing causes anything, P 0.95, 80 donors": 200}
    mix = even_mix(pd.concat([some(name, runs) for name, runs in counts.items()], ignore_index=True))
    runs = mix.groupby("cell")["run"].agg(["nunique", "max", "size"])
    assert runs["nunique"].to_dict() == {
        "rotated, P 0.5, 80 donors": 40,
        "nothing causes anything, P 0.5, 80 donors": 20,
        "rotated, disease follows age only, 80 donors": 20,
        "rotated, P 0.85, 80 donors": 40,
        "nothing causes anything, P 0.85, 80 donors": 40,
    }
    assert (runs["size"] == 2 * runs["nunique"]).all() and (runs["max"] == runs["nunique"] - 1).all()
