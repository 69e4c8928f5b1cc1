"""Tables behind the figures, and SVG that can be read by everybody."""

import numpy as np
import pandas as pd

from mtlbio.report.curves import curve
from mtlbio.report.forest import MOST_ROWS, forest_rows
from mtlbio.report.heatmap import in_order
from mtlbio.report.palette import VERDICTS
from mtlbio.report.performance import performance_rows
from mtlbio.report.svg import house_style, inline, new_figure, save
from mtlbio.tables import HISTORY, METRICS


def test_curve_stops_when_half_of_the_replicas_have():
    rows = [("multitask", 0, str(s), e, "y", "train", 1.0 + s) for s in range(4) for e in range(10 if s else 20)]
    found = curve(pd.DataFrame(rows, columns=HISTORY), "multitask", "y", "train")
    assert list(found.index) == list(range(10))
    assert found["mean"].iloc[0] == 2.5 and found["replicas"].iloc[0] == 4
    np.testing.assert_allclose([found["low"].iloc[0], found["high"].iloc[0]], [1.3, 3.7])


def test_forest_keeps_the_largest_losses():
    n = 30
    table = pd.DataFrame({"verdict": "unused", "delta_y": np.arange(n) / 100.0, "removal_y": "harmless"})
    table["delta_ci_low_y"], table["delta_ci_high_y"] = table["delta_y"] - 0.01, table["delta_y"] + 0.01
    rows = forest_rows(table, "y")
    assert len(rows) == MOST_ROWS and rows["delta"].iloc[0] == 0.29
    assert len(forest_rows(table.drop(columns="delta_y"), "y")) == 0


def test_performance_has_the_model_first_and_the_covariates_last():
    arms = {"covariates": 0.9, "ridge": 0.7, "multitask": 0.5, "singletask": 0.6, "lightgbm": 0.8}
    table = pd.DataFrame([[a, "y", "auroc", v, v, v, 9, 9] for a, v in arms.items()], columns=METRICS)
    rows = performance_rows(table, "y", "auroc")
    assert list(rows.index) == ["multitask", "singletask", "lightgbm", "ridge", "covariates"]


def test_rows_in_the_order_of_the_verdicts():
    table = pd.DataFrame({"verdict": ["unused", "technical", "biology", "technical"]}, index=["z4", "z3", "z2", "z1"])
    assert list(in_order(table).index) == ["z2", "z1", "z3", "z4"]


def test_inline_svg_is_isolated_titled_and_recoloured(tmp_path):
    with house_style():
        figure = new_figure(2, 1)
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=VERDICTS["biology"].colour, label="$a_b$ & <c>")
        axes.legend()
        picture = save(figure, tmp_path, "one", 'A "title" <b>', "what it shows")
    text = picture.inline
    assert text.startswith('<svg viewBox="0 0 144 72" role="img" aria-labelledby="one-title one-desc">')
    assert "A &quot;title&quot; &lt;b&gt;" in text and "$a_b$ &amp; &lt;c&gt;" in text
    assert "var(--biology)" in text and VERDICTS["biology"].colour not in text
    assert "http" not in text and "metadata" not in text
    assert VERDICTS["biology"].colour in (tmp_path / "one.svg").read_text()
    again = inline((tmp_path / "one.svg").read_text(), "two", "t", "d")
    assert 'id="two-' in again and 'id="one-' not in again


def test_white_text_on_a_badge_can_be_read():
    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return float(np.dot([0.2126, 0.7152, 0.0722], linear))

    for style in VERDICTS.values():
        assert 1.05 / (luminance(style.colour) + 0.05) >= 4.5
        assert (luminance(style.dark) + 0.05) / (luminance("#10151b") + 0.05) >= 4.5
    assert len({s.mark for s in VERDICTS.values()}) == len(VERDICTS)
