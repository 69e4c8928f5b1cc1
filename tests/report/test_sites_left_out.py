"""The page has donors and sites held out beside each other, as the table has them."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from fabricate import fabricate

from mtlbio.probing.sites import COLUMNS
from mtlbio.report.inputs import read_inputs
from mtlbio.report.page import report
from mtlbio.report.sites_left_out import left_out, sentence
from mtlbio.tables import SITES_LEFT_OUT, write_table


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sites")
    return read_inputs(fabricate(folder, donors=60), folder)


def table() -> pd.DataFrame:
    def row(arm: str, metric: str, site: str | None, by_donors: float, by_sites: float, half: float) -> list:
        lost = by_donors - by_sites
        around = [value for middle in (by_donors, by_sites, lost) for value in (middle, middle - half, middle + half)]
        return [arm, "disease", metric, site, *around, 80, 40]

    rows = [
        row("multitask", "auroc", None, 0.9, 0.8, 0.05),
        row("multitask", "brier", None, 0.1, 0.2, 0.01),
        row("ridge", "auroc", None, 0.85, 0.84, 0.05),
        row("multitask", "auroc", "Leeds", 0.88, 0.7, 0.1),
        row("ridge", "auroc", "Leeds", 0.8, 0.7, 0.1),
    ]
    return pd.DataFrame(rows, columns=SITES_LEFT_OUT)


def test_the_sentence_says_what_is_lost():
    assert sentence(table().iloc[0], "donors") == (
        "disease: AUROC 0.900 where donors are held out, 0.800 where whole sites are; 0.100 (0.050 to 0.150) is lost."
    )
    assert sentence(table().iloc[2], "donors").endswith("what is lost, 0.010 (−0.040 to 0.060), may be nothing.")


def test_metrics_arms_and_sites_have_a_row_each(inputs):
    told = left_out(replace(inputs, tables=inputs.tables | {"sites_left_out": table()}), "disease")
    assert told["sites"]["header"] == ["site", "donors held out", "sites held out", "lost", "donors"]
    assert told["sites"]["rows"] == [
        ["Leeds", "0.880 (0.780 to 0.980)", "0.700 (0.600 to 0.800)", "0.180 (0.080 to 0.280)", "40"]
    ]
    assert [row[0] for row in told["metrics"]["rows"]] == ["AUROC", "brier"]
    assert [row[0] for row in told["arms"]["rows"]] == ["multi-task model", "ridge, all genes"]
    assert left_out(inputs, "disease") is None and told["more"] == 0


def test_the_page_shows_them_and_the_sites_of_a_biology(tmp_path):
    run = fabricate(tmp_path, donors=60)
    write_table(table(), tmp_path / "sites_left_out.tsv", SITES_LEFT_OUT)
    about = {"dim": "z02", "task": "disease", "class": None, "n_donors": 30, "n_rarest": 12, "weight": 0.5, "se": 0.1}
    about |= {"effect": 0.4, "ci_low": 0.2, "ci_high": 0.6, "call": "same", "carries": False}
    about |= {name: 0.1 for name in COLUMNS if name not in about} | {"sites": 2, "heterogeneity": "not_seen"}
    write_table(
        pd.DataFrame([about | {"site": name} for name in ("007", "Oslo")])[COLUMNS], tmp_path / "probing/sites.tsv"
    )
    report(run, tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "With whole sites left out" in page and "0.180 (0.080 to 0.280)" in page
    assert "disease: 2 of 2 sites show the effect by themselves (007 and Oslo)." in page
    assert (tmp_path / "figures" / "sites_z02_disease.svg").exists()
