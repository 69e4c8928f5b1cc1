"""What a feature changes: which features are drawn, what is said of them, and that nothing overlaps."""

from dataclasses import replace

import pandas as pd
import pytest
from fabricate import fabricate

from mtlbio.cohort.cohort import read_cohort, write_cohort
from mtlbio.cohort.tabular import Plan, Source
from mtlbio.kinds.schemas import TableRun
from mtlbio.report.context import effects
from mtlbio.report.feature_effects import MOST_FEATURES, effects_figure, level_name, sentences, shown_features, typical
from mtlbio.report.figures import plan
from mtlbio.report.inputs import read_inputs
from mtlbio.report.page import report
from mtlbio.report.svg import house_style
from mtlbio.tables import EFFECTS, read_table, write_table

ROWS = [
    ["dose", "weight", "57.123", 300, 28.0, 0.8],
    ["dose", "weight", "92.53", 300, 42.0, 1.2],
    ["dose", "cyp", "*1/*1", 200, 45.5, 1.3],
    ["dose", "cyp", "*1/*3", 97, 24.5, 0.7],
    ["dose", "cyp", "*3/*3", 3, 7.0, 0.2],
    ["other", "cyp", "*1/*1", 200, 1.0, 1.0],
]
EVIL = "<script>alert('x')</script>"


def table(rows=ROWS):
    return pd.DataFrame(rows, columns=EFFECTS)


def test_the_widest_come_first_with_their_levels_from_low_to_high():
    rows, left = shown_features(table(), "dose")
    assert list(rows["feature"]) == ["cyp"] * 3 + ["weight"] * 2 and left.empty
    assert list(rows["value"])[:3] == ["*3/*3", "*1/*3", "*1/*1"]
    assert typical(rows) == pytest.approx(35)
    assert sentences(rows, left, "mg/week") == [
        "Widest: cyp from 7 mg/week (*3/*3, 3 samples) to 45.5 mg/week (*1/*1, 200 samples)."
    ]


def test_at_most_eight_are_drawn_and_the_rest_is_named():
    many = [["dose", f"f{i:02d}", level, 9, 30 + i * up, 1.0] for i in range(20) for level, up in (("a", 0), ("b", 1))]
    rows, left = shown_features(table(many), "dose")
    assert list(dict.fromkeys(rows["feature"])) == [f"f{i}" for i in range(19, 19 - MOST_FEATURES, -1)]
    said = sentences(rows, left, None)[1]
    assert said.startswith("Left out: f11, f10, f09") and said.endswith("f02 and 2 others (each spans at most 11).")


def test_the_text_alternative_has_the_numbers_and_no_name_lies_on_another():
    levels = [["dose", "cyp", f"*{i}/*{i}", 40 - i, 20 + 1.3 * i, 1.0] for i in range(9)]
    rows, _ = shown_features(table([*levels, *ROWS[:2]]), "dose")
    with house_style():
        figure, title, description = effects_figure(rows, "dose", "mg/week")
        figure.draw_without_rendering()
    assert title == "What a feature changes: dose"
    assert description.startswith("weight from 28 mg/week (57.1) to 42 mg/week (92.5); cyp from 20 mg/week (*0/*0)")
    axes = figure.axes[0]
    boxes = [text.get_window_extent() for text in axes.texts]
    assert {"*0/*0", "*8/*8", "57.1", "92.5"} <= {text.get_text() for text in axes.texts}
    assert not [1 for i, a in enumerate(boxes) for b in boxes[:i] if a.overlaps(b)]
    frame = axes.get_window_extent()
    assert all(frame.x0 - 1 <= box.x0 and box.x1 <= frame.x1 + 1 for box in boxes)


def test_levels_that_hardly_anybody_has_are_open():
    rows, _ = shown_features(table(), "dose")
    with house_style():
        figure, _, _ = effects_figure(rows, "dose", None)
    faces = {
        line.get_markerfacecolor(): len(line.get_xdata()) for line in figure.axes[0].lines if line.get_marker() == "o"
    }
    assert faces["#ffffff"] == 1


def test_levels_that_are_all_numbers_keep_their_words():
    assert [level_name(v) for v in (1.0, "0", "0.02567", "-1.25", "GCR 2")] == ["1", "0", "0.0257", "−1.25", "GCR 2"]


@pytest.fixture
def of_table(tmp_path):
    """(run, folder) of a fabricated run whose features are a table."""
    shared = fabricate(tmp_path, donors=20).model_dump(include=set(TableRun.model_fields) - {"kind"})
    run = TableRun.model_validate(shared | {"features": {"path": "x.csv", "numeric": ["weight"]}})
    cohort = read_cohort(tmp_path / "cohort.h5ad")
    sources = (Source("weight", "number"), Source(f"cyp{EVIL}", "category", ("*1/*1", "*1/*3")))
    coded = {"table": Plan(sources, {}).saved()}
    write_cohort(replace(cohort, preprocessing=cohort.preprocessing | coded), tmp_path / "cohort.h5ad")
    rows = [[*("age", f"cyp{EVIL}" if r[1] == "cyp" else r[1]), *r[2:]] for r in ROWS[:5]]
    write_table(table(rows), tmp_path / "effects.tsv")
    verdicts = read_table(tmp_path / "verdicts.tsv")
    verdicts["held_fixed"] = ["age", *[None] * (len(verdicts) - 1)]
    write_table(verdicts, tmp_path / "verdicts.tsv")
    return run, tmp_path


def test_the_page_shows_it_for_a_table_of_features(of_table):
    run, folder = of_table
    report(run, folder)
    page = (folder / "report.html").read_text(encoding="utf-8")
    section = page[page.index('<h2 id="effects">What a feature changes</h2>') :].split("</section>")[0]
    assert section.count("<article") == section.count('role="img"') == 1 and 'id="effects_age-desc"' in section
    assert "from 7 (*3/*3, 3 samples) to 45.5 (*1/*1, 200 samples)." in section and "*1/*3" in section
    assert "<code>effects.tsv</code> what a feature changes" in page and "<script>alert" not in page
    assert (folder / "figures" / "effects_age.svg").exists()
    cards = {dim: page[page.index(f'id="card-{dim}"') :].split("</article>")[0] for dim in ("z01", "z02")}
    assert cards["z01"].count("<b>held fixed</b><br>") == 3 and "<b>held fixed</b>" not in cards["z02"]


def test_measurements_have_no_such_section(tmp_path):
    run = fabricate(tmp_path, donors=20)
    write_table(table(), tmp_path / "effects.tsv")
    inputs = read_inputs(run, tmp_path)
    assert "effects" not in inputs.tables and effects(inputs, {}) == []
    assert not [stem for stem in plan(inputs, []) if stem.startswith("effects")]
