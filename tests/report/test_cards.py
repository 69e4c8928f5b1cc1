"""Which cards come first, and what they draw."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fabricate import SET, fabricate

from mtlbio.report.cards import card_figure
from mtlbio.report.choice import choose, ranked
from mtlbio.report.clouds import shuffled_medians, smooth
from mtlbio.report.entries import cells, composition
from mtlbio.report.inputs import read_inputs
from mtlbio.report.of_units import set_score
from mtlbio.report.panels import wrapped
from mtlbio.report.svg import house_style
from mtlbio.report.words import interval


def verdicts(**kinds):
    rows = [
        (f"{kind[:3]}{i}", kind, "batch", 0.6 + i / 100, 0.1 + i / 100) for kind, n in kinds.items() for i in range(n)
    ]
    table = pd.DataFrame(rows, columns=["dim", "verdict", "driver", "share_batch", "effect_disease"])
    return table.set_index("dim")


def test_no_verdict_is_crowded_out():
    table = verdicts(technical=9, biology=1, confounder=2, unused=30, underpowered=3)
    assert choose(table, 6) == ["bio0", "tec8", "tec7", "tec6", "con1", "con0"]
    assert choose(table, 1) == ["bio0", "tec8", "con1"]  # one of each, whatever the number of cards
    assert choose(table, 14)[-2:] == ["und2", "und1"]  # underpowered after everything that tells


def test_axes_come_before_dimensions_that_were_trained_to_follow_their_task():
    table = verdicts(biology=3, technical=1)
    assert choose(table, 3, frozenset({"bio2"})) == ["bio1", "bio0", "tec0"]


def test_a_shortcut_is_a_kind_of_its_own():
    table = verdicts(technical=3, biology=3)
    table["removal_disease"] = ["harmful", "harmless", "harmless"] + ["harmful"] * 3
    assert choose(table, 3) == ["bio2", "tec0", "tec2"]  # the shortcut before the harmless bin
    assert list(ranked(table)) == ["biology", "shortcut", "technical"]


def test_what_the_folds_did_not_find_again_comes_last():
    table = verdicts(underpowered=3)
    table["stability"] = [0.9, 0.8, 0.1]
    assert choose(table, 3) == ["und1", "und0", "und2"]


def test_unused_only_where_there_is_nothing_else():
    assert choose(verdicts(unused=4), 2) == ["unu3", "unu2"]
    assert choose(verdicts(unused=4, underpowered=1), 6) == ["und0"]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cards")
    return read_inputs(fabricate(folder, donors=80), folder)


def draw(inputs, dim):
    with house_style():
        return card_figure(inputs, dim)


def test_set_score_is_the_mean_z_score(inputs):
    x = np.asarray(inputs.cohort.expression[:, :6], dtype=float)
    expected = ((x - x.mean(0)) / x.std(0)).mean(1)
    np.testing.assert_allclose(set_score(inputs, inputs.members[SET]).to_numpy(), expected, atol=1e-9)


def test_drivers_of_donors_are_drawn_per_donor_and_batches_per_sample(inputs):
    assert draw(inputs, "z01")[2].startswith("Scatter plot: Pearson r 0.9")
    assert "over 80 donors" in draw(inputs, "z01")[2]
    score = "z02 against the score of Interferon alpha response (Hallmark)"
    assert draw(inputs, "z02")[1] == f"z02 by disease after adjustment; {score}"
    assert draw(inputs, "z03")[2].startswith("4 levels of batch, 160 samples")


def test_biology_is_drawn_by_its_task_after_adjustment_beside_what_names_it(inputs):
    figure, _, described = draw(inputs, "z02")
    left, right = figure.axes
    row = inputs.verdicts.loc["z02"]
    shown = interval(row["effect_disease"], row["ci_low_disease"], row["ci_high_disease"]).replace(" ", " SD ", 1)
    assert left.get_title(loc="left") == f"+{shown}" and left.get_xlabel() == "disease\n80 donors"
    assert left.get_ylabel() == "z02, covariates held fixed (SD)"
    assert right.get_xlabel().startswith("Interferon alpha response") and "z-score of its genes" in right.get_xlabel()
    assert f"disease: +{shown}; 80 donors; held fixed: age, sex, site, batch" in described


def test_mixed_is_drawn_by_task_and_covariate_and_technical_as_it_is(inputs):
    shares = {c: inputs.verdicts.at["z05", f"share_{c}"] for c in inputs.covariates}
    assert draw(inputs, "z05")[1] == f"z05 by disease after adjustment; z05 by {max(shares, key=shares.get)}"
    assert draw(inputs, "z03")[1] == "z03 by batch" and draw(inputs, "z06")[1] == "z06 by site"


def test_what_stays_open_is_drawn_by_the_task_it_comes_nearest_to(inputs):
    for dim in ("z07", "z10"):
        q = {task: inputs.verdicts.at[dim, f"q_{task}"] for task in ("disease", "response")}
        assert draw(inputs, dim)[1] == f"{dim} by {min(q, key=q.get)} after adjustment"


def test_a_kind_without_a_trial_falls_back_to_what_is_nearest(inputs):
    with house_style():
        _, title, _ = card_figure(inputs, "z07", lambda task: None)
    shares = {c: inputs.verdicts.at["z07", f"share_{c}"] for c in inputs.covariates}
    assert max(shares, key=shares.get) in title


def test_long_names_take_two_lines_at_most():
    name = "Regulation of insulin like growth factor transport and uptake (Reactome)"
    assert wrapped(name, True) == "Regulation of insulin\nlike growth factor trans…"
    assert wrapped(name, False).count("\n") == 1 and wrapped("age", True) == "age"


def test_many_levels_become_medians(inputs):
    inputs.obs["many"] = [f"chip{i % 40}" for i in range(len(inputs.obs))]
    inputs.cohort.covariates["many"] = inputs.cohort.covariates["batch"]
    inputs.verdicts.loc["z04", "driver"] = "many"
    figure, title, description = draw(inputs, "z04")
    assert title == "z04 by many" and description.startswith("40 levels of many")
    assert figure.axes[0].get_title(loc="left") == "40 levels in order of their medians"


def test_shuffled_medians_keep_the_spread_of_noise_and_lose_that_of_levels():
    rng = np.random.default_rng(1)
    levels = np.repeat(np.arange(50), 8)
    noise, driven = rng.normal(size=(40, 400)), levels / 50.0
    observed = np.mean([np.ptp(pd.Series(z).groupby(levels).median()) for z in noise])
    expected = np.mean([np.ptp(shuffled_medians(z, levels, shuffles=5)) for z in noise])
    assert expected == pytest.approx(observed, rel=0.1)
    assert np.ptp(shuffled_medians(driven, levels)) < 0.7 * np.ptp(driven)


def test_large_clouds_are_rasterised(inputs):
    from dataclasses import replace

    n = 30
    obs = pd.concat([inputs.obs.assign(donor=inputs.obs["donor"].astype(str) + f"_{k}") for k in range(n)])
    latents = pd.concat([inputs.latents] * n)
    obs.index = latents.index = [f"s{i}" for i in range(len(obs))]
    figure, _, _ = draw(replace(inputs, obs=obs, latents=latents), "z01")
    assert all(cloud.get_rasterized() for cloud in figure.axes[0].collections)


def test_smooth_reproduces_a_line_and_follows_a_bend():
    x = np.linspace(0, 10, 80)
    grid, line = smooth(x, 2 * x + 1)
    np.testing.assert_allclose(line, 2 * grid + 1, atol=1e-8)
    grid, line = smooth(x, (x - 5) ** 2, span=0.3)
    assert np.abs(line - (grid - 5) ** 2).max() < 2.5 and line[30] < 1.0


def test_a_card_names_the_cell_types_that_its_dimension_goes_with(inputs):
    assert cells(inputs, "z02") == "monocytes 42 %, NK cells 11 %"  # not the platelets, 2 %
    assert cells(inputs, "z03") == "neutrophils 29 %" and cells(inputs, "z04") == ""
    assert composition(inputs) == "z02 monocytes 42 %, z07 B cells 31 %"
    without = replace(inputs, tables={name: t for name, t in inputs.tables.items() if name != "composition"})
    assert cells(without, "z02") == composition(without) == ""


def test_a_cell_type_that_is_held_fixed_is_said_to_be(inputs):
    table = inputs.tables["composition"]
    fixed = table.assign(held_fixed=table["cell_type"].isin(["monocytes", "neutrophils"]))
    held = replace(inputs, tables=inputs.tables | {"composition": fixed})
    assert cells(held, "z02") == "monocytes 42 % (held fixed), NK cells 11 %"
    assert composition(held) == "z02 monocytes 42 % (held fixed), z07 B cells 31 %"
