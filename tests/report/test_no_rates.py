"""The page of a run of whose verdicts none carries an error rate says why."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from fabricate import fabricate

from mtlbio.cohort.cohort import read_cohort, write_cohort
from mtlbio.probing.rates import rate_of, shipped_rates, speaking_for
from mtlbio.report.context import why_no_rates
from mtlbio.report.page import report
from mtlbio.tables import read_table, write_table

RATES = ["error_rate", "error_rate_low", "error_rate_high", "error_rate_from"]
START = "<p>This run carries no calibrated error rate: "


@pytest.fixture
def made(monkeypatch, tmp_path):
    """A fabricated run whose verdicts have columns of rates without any, and the text of its page."""
    from mtlbio.report import figures
    from mtlbio.report.svg import new_figure

    planned = figures.plan
    monkeypatch.setattr(
        figures, "plan", lambda *given: dict.fromkeys(planned(*given), lambda: (new_figure(1, 1), "t", "d"))
    )
    run = fabricate(tmp_path, donors=40)
    table = read_table(tmp_path / "verdicts.tsv").assign(**dict.fromkeys(RATES, np.nan))
    write_table(table, tmp_path / "verdicts.tsv")

    def page(**probe):
        asked = run.model_copy(update={"probe": run.probe.model_copy(update=probe)})
        report(asked, tmp_path)
        return (tmp_path / "report.html").read_text(encoding="utf-8")

    return tmp_path, table, page


def reason(text: str) -> str:
    assert text.count(START) == 1 and "A rate needs 20 such verdicts" not in text
    return text.split(START)[1].split(" How often verdicts are wrong")[0]


def test_all_underpowered(made):
    folder, table, page = made
    write_table(table.assign(verdict="underpowered", driver=pd.NA), folder / "verdicts.tsv")
    assert reason(page()) == "none of its verdicts claims anything."


def test_every_task_refused():
    """Latents that saw the labels: that is why, whatever else their verdicts are."""
    audit = pd.DataFrame({"kind": ["task", "latents", "latents"], "task": ["sle", "sle", "age"]})
    run = SimpleNamespace(probe=SimpleNamespace(alpha=0.05))
    given = {"run": run, "kind": SimpleNamespace(planted="latents"), "tasks": ["sle", "age"], "covariates": {"age": 1}}
    given["verdicts"] = pd.DataFrame({"verdict": ["confounder"]})
    told = why_no_rates(SimpleNamespace(**given, tables={"audit": audit}))
    assert told == "nothing can be claimed of age and sle from these latents"
    other = why_no_rates(SimpleNamespace(**given, tables={"audit": audit[:2]}))
    assert other.startswith("its table was made without")


def test_a_level_beyond_those_that_were_counted(made):
    _, _, page = made
    counted = speaking_for(shipped_rates(), "measurements")["alpha"].max()
    said = reason(page(alpha=counted + 0.1))
    assert said == f"none were counted at probe.alpha {counted + 0.1:g} or a looser one."
    audit = pd.DataFrame([("task", "sle", "technical", "cramers_v", 0.0, 80)])
    audit.columns = ["kind", "task", "role", "association", "value", "n_donors"]
    assert np.isnan(rate_of("biology", "sle", audit, "measurements", counted + 0.1).error)
    assert rate_of("biology", "sle", audit, "measurements", counted).error >= 0


def test_a_level_that_was_counted_where_the_table_has_none(made):
    _, _, page = made
    expected = "its table was made without, or no planted design near it gave such verdicts often enough."
    assert reason(page(alpha=0.1)) == reason(page()) == expected


def test_no_covariates(made):
    folder, table, page = made
    cohort = read_cohort(folder / "cohort.h5ad")
    bare = cohort.obs.drop(columns=[name for name in cohort.covariates if name not in cohort.tasks])
    write_cohort(replace(cohort, covariates={}, obs=bare), folder / "cohort.h5ad")
    write_table(table.loc[:, ~table.columns.str.startswith("share_")], folder / "verdicts.tsv")
    text = page()
    assert reason(text) == "they were counted on designs with covariates, and this one has none."
    assert text.count('id="row-z') == len(table)


def test_rates_of_two_designs_are_said_to_be(made):
    folder, table, page = made
    first = ["axes, 80 donors: 1 of 90 wrong", "axes, 200 donors: 2 of 90 wrong"]
    table = table.assign(error_rate_from=pd.Series(first).reindex(table.index), error_rate=0.02)
    write_table(table, folder / "verdicts.tsv")
    text = page()
    assert START not in text and "A rate needs 20 such verdicts" in text
