"""The rates that ship are counted from scored dimensions, and a part that was not made again keeps its own."""

import pandas as pd

from benchmarks.calibration import shipping
from benchmarks.calibration.cells import BASE, Cell
from benchmarks.calibration.score import scored
from mtlbio.probing.rates import COLUMNS, FOUND, shipped_found, shipped_rates
from mtlbio.tables import read_table


def verdicts(donors: int, separation: float, wrong: int, n: int = 40) -> pd.DataFrame:
    """Scored ``technical`` verdicts on batch dimensions and, so many, on noise."""
    cell = Cell("x", donors, {**BASE, "batch_disease": separation})
    return scored(cell, 0, [f"z{i}" for i in range(n)], ["noise"] * wrong + ["batch"] * (n - wrong), ["technical"] * n)


def test_a_rate_is_the_share_of_wrong_claims():
    table = shipping.error_rates({"axes": verdicts(80, 0.5, 3), "pipeline": verdicts(200, 0.5, 1)})
    assert list(table.columns) == COLUMNS
    row = table[(table["part"] == "pipeline") & (table["donors"] == 200) & (table["separation"] == 0.5)].iloc[0]
    assert (row["n"], row["wrong"], row["rate"]) == (40, 1, 0.025)


def test_parts_that_were_not_made_again_keep_their_rates(monkeypatch, tmp_path):
    monkeypatch.setattr(shipping, "SHIPPED", tmp_path)
    made = {"pipeline": verdicts(200, 0.5, 1)}
    shipping.write_rates(shipping.error_rates(made), shipping.found_rates(made))
    errors, found = read_table(tmp_path / "error_rates.tsv", COLUMNS), read_table(tmp_path / "found.tsv", FOUND)
    for table, shipped in ((errors, shipped_rates()), (found, shipped_found())):
        kept = shipped[shipped["part"] != "pipeline"].reset_index(drop=True)
        pd.testing.assert_frame_equal(table[table["part"] != "pipeline"].reset_index(drop=True), kept)
    assert errors[errors["part"] == "pipeline"]["n"].tolist() == [40]
    assert found[found["part"] == "pipeline"]["hits"].tolist() == [39, 0, 0]


def test_another_level_is_kept_beside_the_usual_one(monkeypatch, tmp_path):
    monkeypatch.setattr(shipping, "SHIPPED", tmp_path)
    cell = Cell("x", 80, dict(BASE), alpha=0.2)
    rows = scored(cell, 0, [f"z{i}" for i in range(30)], ["batch"] * 30, ["technical"] * 30)
    made = shipping.error_rates({"levels": rows})
    assert made[["part", "alpha", "n", "wrong"]].to_numpy().tolist() == [["axes", 0.2, 30, 0]]
    shipping.write_rates(made, shipping.found_rates({}))
    written = read_table(tmp_path / "error_rates.tsv", COLUMNS)
    usual = shipped_rates()[lambda table: (table["part"] == "axes") & (table["alpha"] == 0.05)]
    assert len(usual) and (written["part"].eq("axes") & written["alpha"].eq(0.05)).sum() == len(usual)
    assert read_table(tmp_path / "found.tsv", FOUND).equals(shipped_found())
