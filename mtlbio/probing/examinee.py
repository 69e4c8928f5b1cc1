"""The examinee: what the trial needs of a model, bound to the samples on trial.

Any set of latents can be put on trial. :class:`Examinee` is all that is asked of it; an examinee that has heads of its
own too is a :class:`WithHeads`, and the ablation then asks what *this model* uses a dimension for. Without heads only
ridge heads that are fitted anew say what is lost.

``saw`` says what the model of a fold has seen of the samples that this fold holds out, and so what can be claimed:

- ``NOTHING``: neither their measurements nor their labels. Everything can be claimed;
- ``DONORS``: their measurements and no label, such as unsupervised latents that were fitted to all samples at once.
  What a dimension goes with can be tested, and what a head that was fitted to other donors loses without it; whether it
  comes back when donors are left out is not known;
- a tuple of names: labels (tasks) of theirs. Latents that saw a label follow it whatever is true: they prove nothing.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from mtlbio.errors import InputError, listing

NOTHING = "nothing"
DONORS = "donors"


@runtime_checkable
class Examinee(Protocol):
    """A model with the n samples that it is tried on.

    Attributes
    ----------
    dims : (D,) names of the dimensions
    fold : (n,) the fold that holds a sample out: its model has seen of the sample what ``saw`` says
    saw : ``NOTHING``, ``DONORS``, or names of labels
    """

    dims: Sequence[str]
    fold: np.ndarray
    saw: str | tuple[str, ...]

    @abstractmethod
    def latents(self, fold: int) -> np.ndarray:
        """(replicas, n, D) of *all* samples as the model of a fold encodes them, in dimensions that mean the same in
        every fold. :data:`mtlbio.model.ensemble.FINAL` is the model that held nobody out, where there is one: without
        it blocks of axes cannot be found (:mod:`mtlbio.probing.subspaces`)."""


@runtime_checkable
class WithHeads(Examinee, Protocol):
    """An examinee that predicts from its latents."""

    @abstractmethod
    def predict_from_latents(self, task: str, latents: np.ndarray, fold: int) -> np.ndarray:
        """Predictions of every replica of a fold from the latents (replicas, m, D), changed or not, of the samples that
        it holds out: (replicas, m) probabilities or values, (replicas, m, K) class probabilities of multiclass and
        ordinal tasks."""


def checked(examinee: Examinee, samples: int, dims: Sequence[str], judged: bool = False) -> Examinee:
    """The examinee, if it can be tried on ``samples`` samples in the dimensions ``dims``.

    ``judged``: whether the procedure refuses tasks by what the examinee saw (:mod:`mtlbio.probing.claims`).

    Raises
    ------
    InputError
        It has others, or it saw labels of the samples on trial.

    Examples
    --------
    >>> class Given:
    ...     dims, fold, saw = ["z01"], np.zeros(3), ("disease",)
    >>> checked(Given(), 3, ["z01"])
    Traceback (most recent call last):
    mtlbio.errors.InputError: latents: the models saw disease of the samples that they hold out, so that nothing ...
    """
    if len(examinee.fold) != samples or list(examinee.dims) != list(dims):
        raise InputError(
            f"latents: {len(examinee.fold)} samples in {listing(examinee.dims)}; on trial are {samples} in "
            f"{listing(dims)}"
        )
    if not isinstance(examinee.saw, str) and examinee.saw and not judged:
        raise InputError(
            f"latents: the models saw {listing(examinee.saw)} of the samples that they hold out, so that nothing about "
            f"these labels can be shown; encode every sample by a model that was trained without it"
        )
    return examinee
