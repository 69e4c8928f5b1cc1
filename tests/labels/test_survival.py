"""Times to an event: the loss against statsmodels, invariances, what is read, and rows of predictions and back."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from statsmodels.duration.hazard_regression import PHReg

from mtlbio.config import Splits
from mtlbio.errors import InputError
from mtlbio.labels import Survival, label_kind, read_label
from mtlbio.labels.cox import fit_cox
from mtlbio.labels.survival.baseline import cumulative_hazard
from mtlbio.labels.survival.records import Records

SITES = np.array(["north", "south", "west"])


def table(seed: int = 0, n: int = 80) -> pd.DataFrame:
    """Follow-up in whole months, with ties, late entries and sites, as text."""
    rng = np.random.default_rng(seed)
    dies, leaves = rng.exponential(8, n), rng.exponential(12, n)
    time = np.ceil(np.minimum(dies, leaves)).astype(int)
    entry = np.where(rng.random(n) < 0.5, 0.5, time - rng.integers(1, 4, n)).clip(0.5) - 0.5
    columns = {"months": time, "since": entry, "status": np.where(dies <= leaves, "dead", "alive")}
    return pd.DataFrame(columns | {"site": SITES[rng.integers(0, 3, n)]}, index=[f"s{i}" for i in range(n)]).astype(str)


def read(table: pd.DataFrame, **keys) -> tuple[np.ndarray, Survival, list]:
    """The labels, their kind, and what was noted."""
    section = Survival.section(kind="survival", **({"time": "months", "event": "status"} | keys))
    Survival.check("tasks.os", section)
    columns = {key: table[column] for key, column in Survival.columns("os", section).items()}
    notes: list = []
    column, label = Survival.read("os", section, columns, "m.csv", lambda *row: notes.append(row))
    return label.y(column), label, notes


KEYS = {"plain": {}, "late": {"entry": "since"}, "sites": {"strata": "site"}}
KEYS["all"] = KEYS["late"] | KEYS["sites"]


@pytest.mark.parametrize("keys", KEYS.values(), ids=KEYS)
def test_a_label_is_the_place_of_its_record(keys):
    given = table()
    y, label, _ = read(given, positive="dead", **keys)
    time, event, entry, stratum = label.times(y)
    assert (time == given["months"].astype(float)).all() and (event == (given["status"] == "dead")).all()
    assert (entry == given["since"].astype(float)).all() if "entry" in keys else (entry == -np.inf).all()
    assert (np.array(label.strata_names)[stratum] == given["site"]).all() if "strata" in keys else (stratum == 0).all()
    assert np.all(np.diff(label.table.time) >= 0) and len(set(label.records)) == len(label.records)
    assert read_label(json.loads(json.dumps(label.saved(), allow_nan=False))) == label
    assert [np.isnan(part[0]) for part in label.times(np.array([np.nan]))[::2]] == [True, True]


def loss(label: Survival, scores, y, weights) -> np.ndarray:
    """Of every sample, in units of the likelihood; outputs of the horizons are noise that nobody may read."""
    outputs = np.random.default_rng(9).normal(size=(*np.shape(scores), label.n_outputs))
    outputs[..., 0] = scores
    return 4 * label.loss(*(torch.as_tensor(v, dtype=torch.float64) for v in (outputs, y, weights))).numpy()


@pytest.mark.parametrize("keys", KEYS.values(), ids=KEYS)
def test_the_loss_is_the_partial_likelihood_of_statsmodels(keys):
    given = table()
    y, label, _ = read(given, positive="dead", **keys)
    time, event, entry, stratum = label.times(y)
    x, b = np.random.default_rng(1).normal(size=(len(y), 1)), 1.3
    late = {"entry": entry} if "entry" in keys else {}
    strata = {"strata": stratum} if "strata" in keys else {}
    model = PHReg(time, x, status=event.astype(int), ties="efron", **late, **strata)
    found = loss(label, b * x[:, 0], y, np.ones(len(y)))
    assert -found.sum() == pytest.approx(model.loglike(np.array([b])), abs=1e-6)
    assert (found[~event] == 0).all() and (found[event] != 0).mean() > 0.9  # the last one has nobody beside it


def test_replicas_weights_and_missing_labels():
    """Each replica has the likelihood that a Cox model with its weights has; who does not take part changes nothing."""
    rng = np.random.default_rng(2)
    y, label, _ = read(table(), positive="dead", **KEYS["all"])
    scores = rng.normal(0, 2, (4, len(y)))
    weights = rng.random((4, len(y))) * (rng.random((4, len(y))) < 0.7)
    weights *= (weights > 0).sum(1, keepdims=True) / weights.sum(1, keepdims=True)  # they count relative to their mean
    found = loss(label, scores, y, weights)
    time, event, entry, stratum = label.times(y)
    for replica in range(4):
        fit = fit_cox(scores[replica][:, None], time, event, entry, stratum, weights[replica])
        b = fit.coefficients[0]
        own = loss(label, b * scores, y, weights)
        assert -(own * weights)[replica].sum() == pytest.approx(fit.loglik, abs=1e-6)
    idle = weights == 0
    other = loss(label, np.where(idle, 50.0, scores), np.where(idle.all(0), 0, y), weights)
    assert idle.any() and np.allclose(found, other) and (found[idle] == 0).all()
    of_folds = torch.vmap(lambda *parts: label.loss(*parts))
    outputs = torch.as_tensor(np.stack([scores[..., None]] * 2))
    twice = of_folds(outputs, torch.as_tensor(np.stack([y] * 2)), torch.as_tensor(np.stack([weights] * 2)))
    assert np.allclose(4 * twice[1].numpy(), found)
    np.testing.assert_allclose(loss(label, scores, y, weights / 100), found)


def test_invariances():
    """To the order of the samples, the unit of time and the level of the scores."""
    rng, given = np.random.default_rng(3), table()
    y, label, _ = read(given, positive="dead", **KEYS["all"])
    scores, weights = rng.normal(size=len(y)), rng.random(len(y))
    found = loss(label, scores, y, weights)
    order = rng.permutation(len(y))
    assert np.allclose(loss(label, scores[order], y[order], weights[order]).sum(), found.sum())
    moved_y, moved, _ = read(given.iloc[order], positive="dead", **KEYS["all"])
    assert moved == label and (moved_y == y[order]).all()
    assert np.allclose(loss(label, scores + 100.0, y, weights), found)
    days = given.assign(months=given["months"].astype(float) * 30.4, since=given["since"].astype(float) * 30.4)
    in_days, of_days, _ = read(days.astype(str), positive="dead", **KEYS["all"])
    assert (in_days == y).all() and np.allclose(loss(of_days, scores, y, weights), found)
    pred = np.column_stack([scores] * (len(label.row_labels)))
    assert of_days.score(y, pred) == pytest.approx(label.score(y, pred), abs=1e-12)


@pytest.mark.parametrize("spread", [0.0, 3.0, 30.0])
def test_the_curvature_is_bounded_and_steps_go_down(spread):
    """Along a random direction of variance 1 the second derivative stays below 1 at the start, and plain steps of the
    length that this allows never go up by more than they went down, wherever they start."""
    rng = np.random.default_rng(4)
    y, label, _ = read(table(n=120), positive="dead")
    weights = torch.full((len(y),), 1 / len(y), dtype=torch.float64)
    x = torch.as_tensor(rng.standard_t(3, size=(len(y), 6)))
    x = x / x.square().mean(0).sqrt()
    top = torch.linalg.eigvalsh(x.T @ x / len(y)).max()
    beta = torch.as_tensor(rng.normal(0, spread, 6), dtype=torch.float64).requires_grad_()

    def value(beta):
        return (label.loss((x @ beta)[:, None], torch.as_tensor(y), weights) * weights).sum()

    hessian = torch.autograd.functional.hessian(value, beta)
    if spread == 0:
        assert torch.linalg.eigvalsh(hessian).max() < top
    losses = []
    for _ in range(60):
        at = value(beta)
        (slope,) = torch.autograd.grad(at, beta)
        losses.append(at.item())
        beta = (beta - 0.9 / top * slope).detach().requires_grad_()
    assert np.isfinite(losses).all() and losses[-1] < losses[0] and max(losses) < losses[0] + 1e-9


def test_the_baseline_is_that_of_statsmodels_and_gives_the_risk():
    rng = np.random.default_rng(5)
    n = 150
    x = rng.normal(size=n)
    time, leaves = rng.exponential(np.exp(-0.7 * x)), rng.exponential(2, n)
    event, time = time <= leaves, np.minimum(time, leaves)
    theirs = PHReg(time, x[:, None], status=event.astype(int)).fit()
    times, before, _ = theirs.baseline_cumulative_hazard[0]
    ours = cumulative_hazard(time, event, np.full(n, -np.inf), theirs.params[0] * x, np.ones(n), times[:-1])
    np.testing.assert_allclose(ours, before[1:], atol=1e-6)
    given = pd.DataFrame({"months": time.astype(str), "status": event.astype(int).astype(str)})
    y, label, _ = read(given, horizons=[0.5, 1.0])
    outputs = np.repeat((theirs.params[0] * x)[:, None], 3, axis=1)
    predicted = label.to_prediction(outputs + label.anchor(outputs, y, np.ones(n)))
    hazard = ours[np.searchsorted(times[:-1], 0.5, side="right") - 1]
    np.testing.assert_allclose(predicted[:, 2], 1 - np.exp(-hazard * np.exp(outputs[:, 0])), atol=1e-9)
    assert predicted[:, 0].mean() == pytest.approx(0, abs=1e-12)


def test_rows_tell_the_truth_and_the_label_is_read_back():
    y, label, _ = read(table(), positive="dead", horizons=[3, 6.5], unit="months", **KEYS["all"])
    y[3] = np.nan
    assert label.row_labels == ["time", "event", "entry", "stratum", "risk by 3 months", "risk by 6.5 months"]
    predicted = label.to_prediction(np.random.default_rng(0).normal(size=(len(y), label.n_outputs)))
    assert predicted.shape == (len(y), *label.width)
    rows = label.rows(y, predicted)
    assert [row["label"] for row in rows] == list(label.row_labels)
    time, event, *_ = label.times(y)
    for row, horizon in zip(rows[4:], label.horizons, strict=True):
        censored = (time <= horizon) & ~event
        assert (np.isnan(row["y_true"]) == (censored | np.isnan(y))).all() and censored.any()
        assert (row["y_true"] == 1).sum() == ((time <= horizon) & event).sum()
    truth = np.round(np.column_stack([row["y_true"] for row in rows]), 4)
    np.testing.assert_array_equal(label.from_rows(truth, ~np.isnan(truth).all(axis=1)), y)


def test_events_are_spread_over_folds():
    from mtlbio.cohort.cohort import Cohort
    from mtlbio.cohort.split import make_splits

    y, label, _ = read(table(n=100), positive="dead")
    obs = pd.DataFrame({"donor": [f"d{i}" for i in range(100)], "os": y}, index=[f"s{i}" for i in range(100)])
    cohort = Cohort(np.zeros((100, 2), np.float32), ("a", "b"), obs, {"os": label})
    fold = make_splits(cohort, Splits(folds=5))["fold"].to_numpy()
    events = np.bincount(fold, label.times(y)[1])
    assert events.max() - events.min() <= 1 and events.sum() == label.times(y)[1].sum()
    time, event, *_ = label.times(y)
    late = event & (time > np.quantile(time[event], 2 / 3))
    assert np.ptp(np.bincount(fold, late)) <= 1


@pytest.mark.parametrize(
    ("values", "keys", "events"),
    [
        (["0", "1", "1"], {}, [0, 1, 1]),
        (["False", "True", "False"], {}, [0, 1, 0]),
        (["0:LIVING", "1:DECEASED", "1:DECEASED"], {}, [0, 1, 1]),
        (["alive", "relapse", "dead"], {"positive": "relapse"}, [0, 1, 0]),
        (["alive", "relapse", "dead"], {"censored": "alive"}, [0, 1, 1]),
        (["alive", "lost", "dead"], {"censored": ["alive", "lost"]}, [0, 0, 1]),
        (["alive", "relapse", "dead"], {"positive": "dead", "censored": "alive"}, [0, np.nan, 1]),
    ],
)
def test_events_as_they_are_written(values, keys, events):
    given = pd.DataFrame({"months": ["3", "5", "9"], "status": values}, index=list("abc"))
    y, label, notes = read(given, **keys)
    assert np.isnan(y).tolist() == np.isnan(events).tolist()
    assert label.times(y)[1].tolist() == [value == 1 for value in events]
    competing = "positive" in keys and "censored" not in keys
    assert ("values pooled as censored" in [note[2] for note in notes]) == competing


@pytest.mark.parametrize(
    ("change", "keys", "line"),
    [
        ({"months": "-2"}, {"positive": "dead"}, "column 'months': found -2 (sample 's0'); a time to an event"),
        ({"months": "soon"}, {"positive": "dead"}, "column 'months': found 'soon' (sample 's0') where a number is due"),
        ({"since": "99"}, {"positive": "dead", "entry": "since"}, "entry: column 'since': found 99 (sample 's0'), not"),
        ({}, {}, "tasks.os.positive: missing, and column 'status' holds"),
        ({}, {"positive": "ill"}, "tasks.os.positive: 'ill' never occurs in column 'status'"),
        ({}, {"positive": "dead", "censored": "dead"}, "tasks.os.censored: 'dead' is the event too"),
        ({}, {"positive": "dead", "horizons": [500]}, "tasks.os.horizons: found 500; nobody is followed that long"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_line(change, keys, line):
    given = table()
    for column, value in change.items():
        given.loc["s0", column] = value
    with pytest.raises(InputError) as told:
        read(given, **keys)
    assert line in str(told.value) and "\n" not in str(told.value)


def test_keys_that_do_not_go_together():
    kind = label_kind("survival")
    for keys, line in [
        ({"event": "e"}, "tasks.os.time: a survival task needs the columns of the time and of the event"),
        ({"time": "t", "event": "e", "column": "t"}, "tasks.os.column: found 't'; a survival task names its columns"),
        ({"time": "t", "event": "e", "horizons": [3, 2]}, "tasks.os.horizons: found 3, 2; expected times above 0"),
    ]:
        with pytest.raises(ValueError, match=line.split(";")[0]):
            kind.check("tasks.os", kind.section(kind="survival", **keys))
    few = pd.DataFrame({"donor": list("abcd"), "os": [0.0, 1.0, 2.0, 3.0]})
    label = Survival("os", ((1.0, 1, None, 0), (2.0, 0, None, 0), (3.0, 0, None, 0), (4.0, 1, None, 0)), (2.0,))
    with pytest.raises(InputError, match="2 donor.s. with an event after quality control, fewer than the 3 folds"):
        label.check_labels(few, 3, "m.csv: tasks.os")
    assert label.lacks(few["os"][1:]) == "fewer than two events" and label.lacks(few["os"]) is None


def test_records_without_anybody():
    assert len(Records.of(())) == 0
