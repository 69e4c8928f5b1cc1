"""What a model keeps of its training samples."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from small_training import small_cohort

from mtlbio.cohort.features import fit_features
from mtlbio.cohort.split import make_splits, train_test
from mtlbio.config import Splits
from mtlbio.intake.notes import noticing
from mtlbio.model.ensemble import FINAL, load_reference, save_ensemble
from mtlbio.training.new_samples.checks import Checks
from mtlbio.training.new_samples.departure import departures
from mtlbio.training.new_samples.factor import Factors
from mtlbio.training.new_samples.presence import without_constants
from mtlbio.training.new_samples.reference import Reference, reference_of_genes


class Folds:
    """As much of an ensemble as the reference reads."""

    def __init__(self, cohort, splits):
        self.folds = [0, 1, 2]
        self.models = {FINAL: self.of(cohort.expression)}
        for fold in self.folds:
            self.models[fold] = self.of(cohort.expression[train_test(splits, fold)[0]])

    @staticmethod
    def of(values):
        return type("Model", (), {"features": fit_features(values, 60)})()


@pytest.fixture(scope="module")
def made():
    cohort = small_cohort()
    splits = make_splits(cohort, Splits(folds=3))
    ensemble = Folds(cohort, splits)
    return cohort, splits, ensemble, reference_of_genes(cohort, ensemble, splits)


def test_every_sample_is_compared_with_the_training_samples_of_its_fold(made):
    cohort, splits, ensemble, arrays = made
    assert len(arrays["held_out/distance"]) == len(cohort.obs)
    _, test = train_test(splits, 1)
    own = ensemble.models[1].features
    wanted = departures(cohort.expression[test][:, own.genes_idx], own.mean, own.scale)
    _, before = train_test(splits, 0)
    np.testing.assert_array_equal(arrays["held_out/distance"][len(before) : len(before) + len(test)], wanted.distance)
    # a sample that took part is nearer
    own = ensemble.models[FINAL].features
    inside = departures(cohort.expression[:, own.genes_idx], own.mean, own.scale)
    assert inside.distance.mean() < arrays["held_out/distance"].mean()


def test_the_same_cohort_gives_the_same_bytes_and_comes_back_from_disk(made, tmp_path):
    cohort, splits, ensemble, arrays = made
    again = reference_of_genes(cohort, ensemble, splits)
    assert arrays.keys() == again.keys() and all(arrays[name].tobytes() == again[name].tobytes() for name in arrays)
    empty = type("Empty", (), {"models": {}, "tasks": {}, "dims": (), "seeds": (), "genes": (), "sites": ()})()
    save_ensemble(empty, tmp_path / "model", {}, arrays)
    found = Reference.read(tmp_path / "model")
    np.testing.assert_array_equal(found.factors.loadings, arrays["factors/loadings"])
    assert found.library_share is None and found.at_lowest.shape == (60,)
    save_ensemble(empty, tmp_path / "model", {})
    assert Reference.read(tmp_path / "model") is None and load_reference(tmp_path / "model") == {}


def test_of_counts_the_share_of_every_gene_in_a_library_is_kept(made):
    cohort, splits, ensemble, _ = made
    counts = np.random.default_rng(0).poisson(np.exp2(np.clip(cohort.expression, 0, 9)))
    share = counts / counts.sum(axis=1, keepdims=True)
    of_counts = replace(
        cohort, expression=np.log1p(share * 1e4).astype(np.float32), preprocessing={"kind": "cohort", "size": 1e4}
    )
    arrays = reference_of_genes(of_counts, Folds(of_counts, splits), splits)
    np.testing.assert_allclose(arrays["library_share"], share.mean(axis=0), rtol=1e-4)
    assert arrays["library_share"].sum() == pytest.approx(1, abs=1e-4)


def reference(at_lowest: float, p: int) -> Reference:
    few = np.full(30, 0.05)
    held_out = departures(np.random.default_rng(0).normal(5, 1, (30, p)), np.full(p, 5.0), np.ones(p))
    return Reference(
        Factors(np.zeros((p, 1)), np.ones(p)), replace(held_out, tied=few), np.zeros(p), np.full(p, at_lowest), None
    )


def measured(values: np.ndarray, at_lowest: float) -> tuple[np.ndarray, list[str]]:
    names = np.array([f"g{i}" for i in range(values.shape[1])])
    with noticing() as notes:
        found = without_constants(
            values, names, names[: len(values)], reference(at_lowest, values.shape[1]), Checks("new.csv")
        )
    return found, [note.text for note in notes]


def test_a_gene_that_is_constant_is_missing_unless_training_samples_had_its_least_value_as_often():
    values = np.random.default_rng(1).normal(5, 1, (6, 20))
    values[:, 3], values[:, 7] = 0.0, 4.2
    found, said = measured(values, at_lowest=0.05)
    assert np.isnan(found[:, [3, 7]]).all() and np.isfinite(np.delete(found, [3, 7], axis=1)).all()
    assert said == ["2 of the 20 genes are the same in all 6 samples and count as missing: g3, g7"]
    found, said = measured(values, at_lowest=0.6)  # 0.6^6 is no rare thing
    assert np.isfinite(found[:, 3]).all() and np.isnan(found[:, 7]).all()


def test_few_genes_at_their_least_value_are_measured():
    values = np.random.default_rng(1).normal(5, 1, (6, 300))
    values[:, :3] = 0.0
    found, said = measured(values, at_lowest=0.05)
    assert np.isfinite(found).all() and said == []


def test_two_samples_may_agree_in_a_gene():
    values = np.random.default_rng(1).normal(5, 1, (2, 20))
    values[:, 3] = 4.2
    assert np.isfinite(measured(values, 0.05)[0]).all()


def test_a_value_that_most_genes_of_a_sample_share_is_no_measurement():
    values = np.random.default_rng(1).normal(5, 1, (1, 20))
    values[0, :12] = 1.0
    found, said = measured(values, 0.05)
    assert np.isnan(found[0, :12]).all() and np.isfinite(found[0, 12:]).all()
    assert said[0].startswith("1 samples have one value in more of their genes") and "g0 (12 genes)" in said[0]
