import numpy as np
import pytest

from mtlbio.evaluation.tuning import Labels, choose


def test_the_smallest_weighted_loss_on_inner_held_out_rows_wins():
    y = np.array([0.0, 1.0, 2.0, 3.0])
    labels = Labels(y, 0, np.array([1.0, 1.0, 1.0, 5.0]), np.array([0, 0, 1, 1]))
    offsets = np.array([2.0, 0.5, -1.0])
    seen = []

    def candidates(fit, out):
        seen.append((fit.tolist(), out.tolist()))
        return np.stack([y[out] + offset for offset in offsets])

    best, spread = choose(labels, candidates, 3)
    assert seen == [([2, 3], [0, 1]), ([0, 1], [2, 3])]
    assert best == 1
    assert spread == pytest.approx(0.5)


def test_weights_decide_between_candidates():
    y = np.zeros(4)
    predictions = np.array([[0.0, 3.0, 0.0, 3.0], [1.0, 1.0, 1.0, 1.0]])
    inner = np.array([0, 0, 1, 1])
    equal = choose(Labels(y, 0, np.ones(4), inner), lambda fit, out: predictions[:, out], 2)
    tilted = choose(Labels(y, 0, np.array([1.0, 0.01, 1.0, 0.01]), inner), lambda fit, out: predictions[:, out], 2)
    assert (equal[0], tilted[0]) == (1, 0)


def test_without_inner_folds_the_middle_candidate_is_taken():
    labels = Labels(np.array([0.0, 1.0]), 2, np.ones(2), np.zeros(2, dtype=int))
    assert choose(labels, None, 5) == (2, 1.0)


def test_an_inner_fold_whose_training_part_lacks_a_class_is_left_out():
    labels = Labels(np.array([0.0, 0.0, 1.0, 1.0, 0.0]), 2, np.ones(5), np.array([0, 0, 1, 1, 1]))
    assert [(fit.tolist(), out.tolist()) for fit, out in labels.inner_splits()] == [([2, 3, 4], [0, 1])]
    labels = Labels(np.array([0.0, 1.0, 1.0, 0.0, 0.0]), 2, np.ones(5), np.array([0, 0, 1, 1, 2]))
    assert len(labels.inner_splits()) == 3
