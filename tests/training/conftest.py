"""The small cohort of the training tests (``small_training.py`` lies beside this file)."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def trained():
    """Cohort, folds, problem, targets and all paths of a small cohort, fitted once."""
    from small_training import OPTIONS, folds_of, problem_of, small_cohort

    from mtlbio.training.networks import BlockOptions
    from mtlbio.training.replicas import fit
    from mtlbio.training.sparse_heads import fit_sparse_heads

    cohort = small_cohort()
    folds = folds_of(cohort)
    problem, targets = problem_of(cohort, folds)
    paths = {name: fit_sparse_heads(problem, getattr(problem, name)) for name in ("axes", "genes")}
    for name in ("dense", "curved"):
        paths[name] = fit(problem, getattr(problem, name), [0, 1], BlockOptions.of(OPTIONS))
    return cohort, folds, problem, targets, paths
