"""The section on the whole-pipeline null: there where refits are, and only there."""

from __future__ import annotations

import pandas as pd
from fabricate import DIMS, fabricate

from mtlbio.probing.null_refits import NULL
from mtlbio.report import figures
from mtlbio.report.context import TOP_REFITS, whole_pipeline
from mtlbio.report.inputs import read_inputs
from mtlbio.report.page import report
from mtlbio.report.svg import new_figure
from mtlbio.tables import write_table


def refits(folder, rows: int = 20, hits: int = 1) -> None:
    """Write the two tables: z02 x disease stands out, ``hits`` of ``rows`` refits have a biology."""
    pairs = pd.MultiIndex.from_product([list(DIMS), ["disease", "response"]], names=["dim", "outcome"]).to_frame(False)
    null = pairs.assign(block="axis", statistic=1.0, p=0.3, q=0.5, refits=rows, p_refit=0.4, p_refit_familywise=0.9)
    null.loc[(null["dim"] == "z02") & (null["outcome"] == "disease"), ["p_refit", "p_refit_familywise"]] = 1 / 21
    write_table(null, folder / "probing" / "null.tsv", NULL)
    runs = pd.DataFrame({"refit": range(rows), "any_biology": [i < hits for i in range(rows)]})
    write_table(runs, folder / "probing" / "null_runs.tsv")


def test_the_share_and_the_dimensions_that_stand_out(tmp_path):
    run = fabricate(tmp_path, donors=20)
    refits(tmp_path)
    found = whole_pipeline(read_inputs(run, tmp_path))
    assert found["sentence"] == (
        "20 times the labels of disease and response were permuted, the network was trained again and every dimension "
        "was put on trial: any dimension was called biology in 1 of them (5 %, 95 % interval 1 % to 24 %)."
    )
    header, rows = found["table"]["header"], found["table"]["rows"]
    assert len(rows) == TOP_REFITS and rows[0][:2] == ["z02", "disease"]
    assert rows[0][header.index("p_refit_familywise")] == "0.05" and "refits" not in header


def test_the_page_has_the_section_where_there_are_refits_and_only_there(tmp_path, monkeypatch):
    planned = figures.plan
    monkeypatch.setattr(
        figures, "plan", lambda *given: {stem: lambda: (new_figure(1, 1), "t", "d") for stem in planned(*given)}
    )
    run = fabricate(tmp_path, donors=20)  # its tables of the null have a header only
    for asked in (False, True):
        if asked:
            refits(tmp_path)
        assert (whole_pipeline(read_inputs(run, tmp_path)) is not None) == asked
        report(run, tmp_path)
        assert (">Whole-pipeline null</h2>" in (tmp_path / "report.html").read_text(encoding="utf-8")) == asked
    for name in ("null", "null_runs"):
        (tmp_path / "probing" / f"{name}.tsv").unlink()
    assert whole_pipeline(read_inputs(run, tmp_path)) is None
