"""Networks of sets of blocks, weighed for what a donor has: what changes no prediction, and what it is made of."""

from dataclasses import replace

import numpy as np
import pytest
from planted_blocks import OPTIONS, lacking

from mtlbio.cohort.assays.blocks import of_blocks
from mtlbio.model.block_latents import BlockLatents
from mtlbio.model.ensemble import FINAL
from mtlbio.training.assays.fit import fit_blocks
from mtlbio.training.assays.tables import predictions, predictions_without, rests_on, variance_by_block
from mtlbio.training.fold_parts import arms_of, fit_folds
from mtlbio.training.refits import seeds_of


def test_a_block_that_everybody_has_is_what_a_cohort_of_it_alone_gives(fit, cohort_and_splits):
    cohort, splits = cohort_and_splits
    alone = of_blocks(cohort, ["rna"], np.ones(len(cohort.obs), dtype=bool))
    alone = replace(alone, preprocessing={"kind": "cohort", "scale": "log2", "size": None})
    plain = fit_folds(alone, splits, OPTIONS, only=[0])
    np.testing.assert_allclose(fit.views["rna",].refit.stacking.outputs[0], plain.stacking.outputs[0], rtol=1e-6)


@pytest.mark.slow
def test_a_donor_without_a_block_changes_nobody_elses_prediction(fit, cohort_and_splits):
    """A donor who is held out loses proteins: the other held-out donors of that fold stay where they were."""
    cohort, splits = cohort_and_splits
    held_out = (fit.fold == 0) & fit.blocks.have(["proteins"])
    row = int(np.flatnonzero(held_out)[0])
    other = fit_blocks(lacking(cohort, row, "proteins"), splits, OPTIONS)
    others = np.flatnonzero((fit.fold == 0) & (np.arange(len(fit.fold)) != row))
    single = {"rtol": 1e-5, "atol": 1e-5}  # single precision, of outputs as large as 20
    np.testing.assert_allclose(other.outputs[0][:, :, others], fit.outputs[0][:, :, others], **single)
    np.testing.assert_allclose(other.axes[0].values[others], fit.axes[0].values[others], atol=1e-9)
    # the donor is now predicted as without proteins: by the shares of transcripts alone
    alone = fit.stacked.outputs["rna",][0][:, :, row]
    np.testing.assert_allclose(other.outputs[0][:, :, row], alone, **single)
    assert np.abs(alone - fit.outputs[0][:, :, row]).max() > 1e-3


def test_dimensions_and_heads_give_the_stacked_predictions_back(fit, tmp_path):
    fit.canonical.latents.save(tmp_path)
    latents = BlockLatents.load(tmp_path)
    tasks, told = fit.cohort.tasks, predictions(fit, ["multitask"], [np.ones(5)], seeds_of(OPTIONS))
    rows = np.flatnonzero(fit.fold == 1)
    for name in tasks:
        found = latents.predict(tasks, name, latents.folds[1].latents[:, rows], 1)  # (s, m) or (s, m, classes)
        found = found if found.ndim == 3 else found[..., None]
        own = told[(told["task"] == name) & (told["fold"] == 1)]
        own = own.assign(place=own.groupby(["sample", "seed"]).cumcount())
        for c in range(found.shape[2]):
            table = own[own["place"] == c].pivot(index="sample", columns="seed", values="y_pred")
            np.testing.assert_allclose(found[..., c].T, table.loc[fit.cohort.samples[rows]], rtol=1e-3, atol=1e-4)
    d = len(fit.canonical.dims)  # a column for each task, and one for each plate
    assert latents.out_of_fold().shape == (len(fit.fold), d) and d == fit.axes[FINAL].axes.n_axes + 4 + 4
    whole = latents.folds[0].latents[0][fit.axes[0].train]
    np.testing.assert_allclose(whole.std(axis=0), 1, atol=1e-3)
    np.testing.assert_allclose(whole.mean(axis=0), 0, atol=1e-3)


def test_what_a_prediction_rests_on_is_told(fit):
    table = rests_on(fit)
    lacks = ~fit.blocks.have(["proteins"])
    few = table[table["blocks"] == "rna"]
    assert set(few["sample"]) == set(fit.cohort.samples[lacks]) and 20 <= lacks.sum() <= 50
    assert set(few["network"]) == {"rna"} and (few["share"] == 1).all()
    both = table[table["blocks"] == "rna+proteins"]
    assert set(both["network"]) == {"rna", "proteins", "rna+proteins"} and (both["share"] >= 0).all()
    assert len(table[["sample", "task"]].drop_duplicates()) == 5 * len(fit.fold)


def test_values_are_in_the_units_of_the_label(fit):
    """Donors without proteins: the network of transcripts says of their age what it says by itself."""
    t, refit = list(fit.cohort.tasks).index("age"), fit.views["proteins",].refit
    assert np.abs(refit.targets.mean[:, t] - fit.targets.mean[:, t]).max() > 0.01  # other donors, another mean
    place = slice(t, t + 1)
    for i in range(len(fit.numbers)):
        rows = fit.views["proteins",].rows
        own = refit.stacking.outputs[i, 0, :, :, place] * refit.targets.scale[i, t] + refit.targets.mean[i, t]
        said = fit.stacked.outputs["proteins",][i, 0][:, rows, place] * fit.targets.scale[i, t] + fit.targets.mean[i, t]
        np.testing.assert_allclose(said, own, rtol=1e-5)


def test_predictions_without_a_block_are_of_those_who_have_it(fit):
    names, arms = arms_of(fit.cohort, OPTIONS)
    told, table = predictions(fit, names, arms, [0]), predictions_without(fit, [0])
    have = set(fit.cohort.samples[fit.blocks.have(["proteins"])])
    assert set(table["arm"]) == {"without_rna", "without_proteins"} and set(table["sample"]) == have
    assert set(told["sample"]) == set(fit.cohort.samples)
    assert told.loc[told["task"] != "age", "y_pred"].between(0, 1).all()
    told, table = (rows[rows["task"] == "outcome"] for rows in (told, table))
    both = told.merge(table[table["arm"] == "without_proteins"], on=["sample", "seed"])
    assert len(both) == len(have) and (both["y_pred_x"] != both["y_pred_y"]).mean() > 0.9


def test_variance_of_an_axis_is_told_for_each_block(fit):
    table = variance_by_block(fit)
    assert len(table) == 2 * fit.canonical.axes and table["variance"].between(-0.2, 1).all()
    assert set(table["in_block"]) == {"yes", "no"}
    one = table.groupby("dim")["in_block"].apply(lambda calls: (calls == "yes").sum())
    assert one.between(1, 2).all()
