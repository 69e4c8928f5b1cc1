"""Does the trunk help a task that it never saw? The head against ridge on the measurements, donor by donor."""

from dataclasses import asdict, dataclass

import numpy as np

from mtlbio.evaluation.bootstrap import expanded
from mtlbio.evaluation.comparisons import GIVEN
from mtlbio.evaluation.predictions import TaskPredictions

HELPS, DOES_NOT, CANNOT_TELL = "helps", "does not", "cannot tell"
LEVEL = 0.95


@dataclass(frozen=True)
class Answer:
    """Both arms, their difference with its interval (above 0: the trunk is better), and the answer in a word.

    Attributes
    ----------
    metric : the one that decides
    trunk, ridge, gain, ci_low, ci_high : of it
    above_chance : whether the interval of the head lies above what says nothing; True where a metric has no such value
    answer : ``helps``, ``does not`` or ``cannot tell``
    n_samples, n_donors : with the label
    """

    metric: str
    trunk: float
    ridge: float
    gain: float
    ci_low: float
    ci_high: float
    above_chance: bool
    answer: str
    n_samples: int
    n_donors: int

    def saved(self) -> dict:
        """What JSON can hold: an undefined number is None."""
        numbers = {key: value for key, value in asdict(self).items() if isinstance(value, float)}
        return asdict(self) | {key: value if np.isfinite(value) else None for key, value in numbers.items()}

    def sentence(self, task: str) -> str:
        """One line that can be quoted."""
        words = {HELPS: "the trunk helps", DOES_NOT: "the trunk does not help", CANNOT_TELL: "cannot tell"}[self.answer]
        return (
            f"{task}: {words} ({self.metric} {self.trunk:.3f} on the trunk, {self.ridge:.3f} on the measurements, gain "
            f"{self.gain:.3f}, 95 % interval {self.ci_low:.3f} to {self.ci_high:.3f}; {self.n_donors} labelled donors)"
        )


def call(ci_low: float, ci_high: float, above_chance: bool, margin: float) -> str:
    """One word for the interval of the gain.

    ``helps``: it lies above 0, and the head is better than chance; ``does not``: a gain of ``margin`` or more lies
    outside; else ``cannot tell``, an undefined interval included.

    Examples
    --------
    >>> [call(*ci, True, 0.02) for ci in [(0.01, 0.2), (-0.1, 0.01), (-0.1, 0.1), (float("nan"), float("nan"))]]
    ['helps', 'does not', 'cannot tell', 'cannot tell']
    >>> call(0.01, 0.2, False, 0.02)
    'cannot tell'
    """
    if ci_low > 0 and above_chance:
        return HELPS
    return DOES_NOT if ci_high < margin else CANNOT_TELL


def answer_of(scores: TaskPredictions, draws: int, seed: int, margin: float) -> Answer:
    """The answer on the samples that both arms predicted; intervals are as wide as few donors make them."""
    pair, metric = scores.common(GIVEN, "ridge"), scores.task.decisive
    assert pair is not None, "both arms predict every labelled sample"
    level = expanded(LEVEL, pair.rarest)
    gain = pair.difference(GIVEN, "ridge", metric, draws, seed, level)
    above = True
    if metric.chance is not None:
        drawn = pair.drawn(GIVEN, metric, draws, seed)
        beyond = drawn < metric.chance if metric.lower_is_better else drawn > metric.chance
        above = bool(np.mean(beyond) >= (1 + level) / 2)
    word = call(gain.ci_low, gain.ci_high, above, margin)
    trunk, other = pair.value(GIVEN, metric), pair.value("ridge", metric)
    return Answer(
        metric.name, trunk, other, gain.value, gain.ci_low, gain.ci_high, above, word, pair.n_samples, pair.n_units
    )
