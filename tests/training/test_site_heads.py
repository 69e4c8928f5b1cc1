"""Heads that know the site: what is fitted, nothing where sites are alike, and that it is in the model."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from small_training import OPTIONS, small_cohort

from mtlbio.cohort.cohort import CovariateInfo, read_cohort, write_cohort
from mtlbio.cohort.split import make_splits
from mtlbio.config import Splits
from mtlbio.config.training import Sites
from mtlbio.errors import InputError
from mtlbio.intake.notes import noticing
from mtlbio.kinds.schemas import CohortRun
from mtlbio.labels import Binary, Regression, Survival
from mtlbio.labels.survival.records import records_of
from mtlbio.model.ensemble import FINAL, load_ensemble
from mtlbio.tables import PREDICTIONS, SPLITS, read_table, write_table
from mtlbio.training.new_samples.sites import places_of_sites, read_sites
from mtlbio.training.predict import predict
from mtlbio.training.refits import Refitter
from mtlbio.training.site_heads import SiteTask, levels_of
from mtlbio.training.train import train

SITES = ("north", "south", "west")


def task_at_sites(n=400, intercepts=(0.0, 0.0, 0.0), slopes=(1.0, 1.0, 1.0), kind="binary", seed=0) -> SiteTask:
    """What three sites share is one score; a site may have an intercept and lean otherwise on it."""
    rng = np.random.default_rng(seed)
    site, score = rng.integers(0, 3, n), rng.normal(size=n)
    truth = np.array(intercepts)[site] + np.array(slopes)[site] * score
    noise = rng.logistic(size=n) if kind == "binary" else 0.5 * rng.normal(size=n)
    y = (truth + noise > 0).astype(float) if kind == "binary" else truth + noise
    label = Binary("disease", ("a", "b")) if kind == "binary" else Regression("age")
    group, one = rng.integers(0, 5, n), np.ones(n)
    return SiteTask(label, np.ones((1, 1)), score[:, None], y, one, score[:, None], site, group, 3)


def test_the_fit_is_where_the_slope_of_the_penalised_likelihood_is_0():
    task = task_at_sites(intercepts=(-1.0, 0.5, 1.0), slopes=(2.0, 1.0, 0.3))
    rows = task.group > 0
    found = task.fit(rows, 0.5, 0.2)
    score, y = task.outputs[:, 0], task.target
    moved = score + found[task.site, 0, 0] + score * found[task.site, 1, 0]
    residual = np.where(rows, y - 1 / (1 + np.exp(-moved)), 0.0)
    for s in range(3):
        here = task.site == s
        assert abs(residual[here].sum() - found[s, 0, 0] / 0.5) < 1e-3
        assert abs((residual * score)[here].sum() - found[s, 1, 0] / 0.2) < 1e-3
    np.testing.assert_array_equal(task.fit(rows, 0.0, 0.0), np.zeros((3, 2, 1)))
    assert (task.fit(rows, 0.5, 0.0)[:, 1] == 0).all()


@pytest.mark.parametrize("kind", ["binary", "number"])
def test_planted_intercepts_and_slopes_are_found(kind):
    intercepts, slopes = (-1.0, 0.0, 1.0), (1.8, 1.0, 0.2)
    found = task_at_sites(3000, intercepts, slopes, kind).chosen()
    np.testing.assert_allclose(found[:, 0, 0], intercepts, atol=0.2)
    np.testing.assert_allclose(1 + found[:, 1, 0], slopes, atol=0.25)


@pytest.mark.parametrize("kind", ["binary", "number"])
def test_where_sites_are_alike_hardly_anything_is_lost(kind):
    """Loss on samples never seen, per sample: at most .002 above that of the shared heads, the mean of 10 cohorts."""
    lost = []
    for seed in range(10):
        found = task_at_sites(200, kind=kind, seed=seed).chosen()
        new = task_at_sites(4000, kind=kind, seed=100 + seed)
        everybody = np.ones(4000, dtype=bool)
        lost.append((new.losses(everybody, found) - new.losses(everybody, np.zeros_like(found))).mean())
    assert np.mean(lost) < 0.002


def test_of_one_inner_fold_nothing_can_be_chosen():
    task = task_at_sites(intercepts=(-2.0, 0.0, 2.0))
    assert not replace(task, group=np.zeros(400, dtype=int)).chosen().any()


def with_sites(shift: float = 40.0):
    """The small cohort at three sites whose donors differ in age by ``shift`` years, which no gene tells."""
    cohort = small_cohort(donors=90, tasks=("disease", "age"))
    donors = pd.factorize(cohort.donors)[0]
    site = np.array(SITES)[donors % 3]
    obs = cohort.obs.assign(site=site)
    obs["age"] = obs["age"].astype(float) + shift * (donors % 3)
    covariates = {"site": CovariateInfo("site", "technical", "categorical")}
    rng = np.random.default_rng(4)
    dies = rng.exponential(np.exp(-0.04 * (obs["age"].fillna(90).to_numpy() - 90)))
    nobody, none = np.full(len(obs), -np.inf), np.zeros(len(obs), dtype=int)
    first = pd.Series(dies).groupby(donors).transform("first").to_numpy()
    event = rng.random(len(obs)) < 0.8
    event = pd.Series(event).groupby(donors).transform("first").to_numpy()
    label = Survival("death", records_of(first, event, nobody, none), (float(np.median(first)),))
    obs["death"] = label.table.place(first, event, nobody, none)
    return replace(cohort, obs=obs, tasks=cohort.tasks | {"death": label}, covariates=covariates)


@pytest.fixture(scope="module")
def cohort():
    return with_sites()


@cache
def refitted(heads: str | None):
    cohort = with_sites()
    splits = make_splits(cohort, Splits(folds=2))
    options = OPTIONS.model_copy(update={"sites": heads and Sites(by="site", heads=heads)})
    refitter = Refitter.of(cohort, splits, options, "cpu")
    (refit,) = refitter.refit([cohort])
    return splits, refit, refitter.canonical_axes(cohort, refit).ensemble


@pytest.mark.parametrize("heads", ["intercept", "deviations"])
def test_the_model_gives_what_training_gave_at_every_site(cohort, heads):
    splits, refit, ensemble = refitted(heads)
    assert ensemble.site_column == "site" and ensemble.sites == SITES
    at = ensemble.at(cohort.obs["site"])
    np.testing.assert_array_equal(at, levels_of(cohort, "site")[0])
    for i, data in enumerate(refit.folds):
        rows = np.arange(len(at)) if data.fold == FINAL else data.test
        for t, task in enumerate(cohort.tasks.values()):
            place = slice(t, t + task.n_outputs)  # binary, regression, then all outputs of the time
            own = refit.stacking.outputs[i, 0][:, rows][:, :, place]
            expected = task.to_prediction(own, refit.targets.mean[i, t], refit.targets.scale[i, t])
            found = ensemble.predict(task.name, cohort.expression[rows], data.fold, at[rows])
            np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-3)


def test_a_site_that_differs_gains_and_others_are_as_without(cohort):
    """Ages differ by 40 years between sites: error of held-out donors with and without an intercept."""
    splits, refit, ensemble = refitted("intercept")
    _, _, plain = refitted(None)
    assert plain.sites == () and plain.models[FINAL].sites is None
    y, fold = cohort.y("age"), splits["fold"].to_numpy()
    errors = {}
    for name, model, at in (("sites", ensemble, ensemble.at(cohort.obs["site"])), ("shared", plain, None)):
        wrong = np.full(len(y), np.nan)
        for f in model.folds:
            rows = fold == f
            given = None if at is None else at[rows]
            wrong[rows] = np.abs(model.predict("age", cohort.expression[rows], f, given).mean(axis=0) - y[rows])
        errors[name] = np.nanmean(wrong)
    assert errors["sites"] < 0.6 * errors["shared"]
    x = cohort.expression[:5]
    unknown = ensemble.predict("age", x, FINAL, np.full(5, -1))
    np.testing.assert_array_equal(unknown, ensemble.predict("age", x))
    np.testing.assert_allclose(unknown, plain.predict("age", x), rtol=1e-6)  # what sites share is what it was
    np.testing.assert_array_equal(ensemble.latents(x), plain.latents(x))


def test_the_whole_step_the_saved_model_and_new_samples(cohort, tmp_path):
    write_cohort(replace(cohort, preprocessing={"scale": "log2", "size": None}), tmp_path / "cohort.h5ad")
    splits = make_splits(cohort, Splits(folds=2))
    write_table(splits, tmp_path / "splits.tsv", SPLITS)
    small = OPTIONS.model_dump(exclude={"scatter"}) | {"sites": {"by": "site"}, "device": "cpu"}
    content = {
        "run": "small",
        "expression": {"path": "x.csv", "scale": "log2"},
        "tasks": {name: {"kind": "regression"} for name in cohort.tasks},
        "covariates": {"site": {"role": "technical"}},
        "training": small,
    }
    train(CohortRun.model_validate(content), tmp_path)
    ensemble, table = load_ensemble(tmp_path / "model"), read_table(tmp_path / "predictions.tsv", PREDICTIONS)
    read = read_cohort(tmp_path / "cohort.h5ad")
    for fold in ensemble.folds:
        rows = np.flatnonzero(splits["fold"] == fold)
        its = table[(table["task"] == "age") & (table["seed"] == "0") & (table["arm"] == "multitask")]
        found = ensemble.predict("age", read.expression[rows], fold, ensemble.at(read.obs["site"].iloc[rows]))[0]
        np.testing.assert_allclose(found, its.set_index("sample")["y_pred"].loc[read.samples[rows]], atol=0.05)

    new = pd.DataFrame(cohort.expression[:20], [f"new{i}" for i in range(20)], list(cohort.genes))
    new.to_csv(tmp_path / "new.csv")
    at = pd.DataFrame({"sample": new.index, "site": np.where(np.arange(20) < 10, "west", "nowhere")})
    at.to_csv(tmp_path / "sites.csv", index=False)
    ages = {}
    for name, sites in (("with", tmp_path / "sites.csv"), ("without", None)):
        predict(tmp_path, tmp_path / "new.csv", tmp_path / name, sites=sites)
        written = read_table(tmp_path / name / "predictions.tsv", PREDICTIONS)
        ages[name] = written[written["task"] == "age"].set_index("sample")["y_pred"]
    gained = ages["with"] - ages["without"]
    assert (gained[:10] > 15).all() and (gained[10:] == 0).all()


def test_sites_of_new_samples_that_cannot_be_are_one_line(tmp_path):
    _, _, ensemble = refitted("intercept")
    _, _, plain = refitted(None)
    (tmp_path / "bad.csv").write_text("sample,clinic\na,west\n")
    (tmp_path / "twice.csv").write_text("sample,site\na,west\na,north\n")
    for model, path, line in (
        (plain, tmp_path / "bad.csv", r"--sites: the heads of this model know no site"),
        (ensemble, tmp_path / "none.csv", r"none.csv: no such file; expected a table of samples with 'site'"),
        (ensemble, tmp_path / "bad.csv", r"bad.csv: no column 'site' beside the samples"),
        (ensemble, tmp_path / "twice.csv", r"twice.csv: .*a"),
    ):
        with pytest.raises(InputError, match=line):
            read_sites(path, model)
    with noticing() as notes:
        assert places_of_sites(plain, None, np.array(["a"]), "new") is None and not notes
        assert places_of_sites(ensemble, None, np.array(["a"]), "new") is None
        given = pd.Series(["west", "mars"], ["a", "b"])
        np.testing.assert_array_equal(places_of_sites(ensemble, given, np.array(["b", "a", "c"]), "new"), [-1, 2, -1])
    text = "\n".join(str(note) for note in notes)
    assert "--sites does not say" in text and "mars unknown to the model" in text and "1 of 3 samples without" in text


def test_a_site_has_to_be_a_categorical_covariate():
    content = {
        "run": "small",
        "expression": {"path": "x.csv", "scale": "log2"},
        "tasks": {"age": {"kind": "regression"}},
        "covariates": {"site": {"role": "technical"}},
        "training": {"sites": {"by": "clinic"}},
    }
    with pytest.raises(ValueError, match=r"training.sites.by: found 'clinic'; valid: site"):
        CohortRun.model_validate(content)
