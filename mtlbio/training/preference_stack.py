"""One stack in which every preference is an arm: what does not depend on the preference is found once.

Genes, axes, row spaces, inner folds and the sparse heads know nothing of a preference; only the trunks and the mixtures
are fitted anew, all of them at once. COSMOS (Ruchte & Grabocka 2021) and Pareto hypernetworks (Navon et al. 2021) train
one network that reads the preference in place of many: they save parameters, and pay in points that depend on each
other. Networks as small as these fit side by side, every one exactly what it would be alone.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.config import Training
from mtlbio.progress import track
from mtlbio.training.device import choose_device
from mtlbio.training.preferences import Preferences
from mtlbio.training.refits import Refitter
from mtlbio.training.subsets import out_of_fold

# what the preferences stand in the place of
_PLAIN = {"balancing": "equal", "balancing_options": {}, "gradient": "trunk"}


def preference_stack(cohort: Cohort, splits: pd.DataFrame, options: Training, preferences: Preferences) -> Refitter:
    """Everything that is found before a label is looked at, with an arm for each preference, for the held-out folds."""
    arms = [np.ones(len(cohort.tasks)) for _ in preferences.weights]
    plain = options.model_copy(update=_PLAIN)
    refitter = Refitter.of(
        cohort, splits, plain, choose_device(options.device), arms, False, "Finding gene-sparse axes"
    )
    return replace(refitter, problem=replace(refitter.problem, preferences=preferences))


def fit_preferences(cohort: Cohort, refitter: Refitter) -> list[dict[str, np.ndarray]]:
    """Out-of-fold predictions of every preference, task by task, as :func:`mtlbio.training.subsets.out_of_fold`."""
    (refit,) = refitter.refit([cohort], lambda epochs, name: track(epochs, f"Training the {name} block", len(epochs)))
    arms = range(len(refitter.problem.active))
    return [{task: out_of_fold(cohort, refit, arm, task) for task in cohort.tasks} for arm in arms]
