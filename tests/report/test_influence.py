"""Who moves what on the page: there where it was asked of these results, and only there."""

import pandas as pd
from fabricate import fabricate

from mtlbio.kinds.vocabulary import DONORS
from mtlbio.report import figures
from mtlbio.report.influence import MOST_NAMED, influence, mixup_sentences, turned_sentences
from mtlbio.report.inputs import read_inputs
from mtlbio.report.made_of import is_current, write_made_of
from mtlbio.report.page import report
from mtlbio.report.svg import new_figure
from mtlbio.tables import COUPLING, INFLUENCE, TURNED, write_table

ROW = {
    "donor": "D003", "dim": "z01", "verdict": "biology", "verdict_without": "underpowered", "again": "yes",
    "task": "disease", "p": 0.0004, "p_without": 0.03,
}  # fmt: skip


def donors(named: int) -> pd.DataFrame:
    """Two tasks of eight donors, of whom some are named."""
    rows = [
        {
            "donor": f"D{i:03d}",
            "rank": i + 1,
            "evidence": 20.0 - i,
            "suspect": "yes" if i < named else "no",
            "odd": "sex",
        }
        for i in range(8)
    ]
    table = pd.DataFrame([row | {"task": task} for row in rows for task in ("disease", "age")])
    return table.reindex(columns=INFLUENCE)


def asked(folder) -> None:
    """Write the tables, and of what they are."""
    coupling = pd.DataFrame(
        [{"task": "age", "by": "disease", "rate": 0.02}, {"task": "disease", "by": "age", "rate": 0.01}]
    )
    tables = {"influence.tsv": donors(1), "influence/coupling.tsv": coupling.reindex(columns=COUPLING)}
    tables["influence/turned.tsv"] = pd.DataFrame([ROW]).reindex(columns=TURNED)
    for name, table in tables.items():
        write_table(table, folder / name)
    write_made_of(folder)


def test_sentences_name_whom_and_say_what_turns():
    assert mixup_sentences(donors(0), DONORS) == [
        "Of no donor do the measurements or a record look like somebody else's."
    ]
    many = mixup_sentences(donors(MOST_NAMED + 2), DONORS)[0]
    assert many.startswith("Look at D000 (sex, 20.0 nats), D001") and "and 2 more: " in many
    few = donors(0).assign(evidence=float("nan"))
    assert mixup_sentences(few, DONORS)[0].startswith("Too few donors")
    empty = ROW | {"verdict": "unused", "donor": "D001"}
    mixed = ROW | {"verdict": "mixed", "donor": "D002"}
    unsure = pd.DataFrame([empty, mixed, ROW | {"again": "no", "donor": "D009"}, ROW])
    first, second, third, last = turned_sentences(unsure, DONORS)
    assert first == "z01 is biology, and without D003 underpowered (disease: p < 0.001 with, 0.03 without)."
    assert "without D009" in second and "with other draws of the permutations it may not turn" in second
    assert third.startswith("z01 is mixed, and without D002 underpowered")
    assert last.startswith("1 time without one donor a dimension goes from unused to underpowered")
    assert "No verdict hangs on one donor" in turned_sentences(unsure.iloc[:0], DONORS)[0]


def test_the_page_has_the_section_while_the_tables_are_of_these_results(tmp_path, monkeypatch):
    planned = figures.plan
    monkeypatch.setattr(
        figures, "plan", lambda *given: {stem: lambda: (new_figure(1, 1), "t", "d") for stem in planned(*given)}
    )
    run = fabricate(tmp_path, donors=20)
    assert influence(read_inputs(run, tmp_path)) == []
    asked(tmp_path)
    sentences = influence(read_inputs(run, tmp_path))
    assert len(sentences) == 3 and "Labels of disease" in sentences[2] and "age by 0.0200" in sentences[2]
    report(run, tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Who moves what" in text and "without D003 underpowered" in text
    with (tmp_path / "verdicts.tsv").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert influence(read_inputs(run, tmp_path)) == []
    report(run, tmp_path)
    assert "Who moves what" not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_tables_are_current_until_a_file_that_they_are_of_changes_comes_or_goes(tmp_path):
    (tmp_path / "cohort.h5ad").write_text("cohort")
    assert not is_current(tmp_path)
    write_made_of(tmp_path)
    assert is_current(tmp_path)
    (tmp_path / "verdicts.tsv").write_text("new")
    assert not is_current(tmp_path)
    write_made_of(tmp_path)
    (tmp_path / "cohort.h5ad").write_text("others")
    assert not is_current(tmp_path)
    (tmp_path / "cohort.h5ad").write_text("cohort")
    assert is_current(tmp_path)
    (tmp_path / "verdicts.tsv").unlink()
    assert not is_current(tmp_path)
