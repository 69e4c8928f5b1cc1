"""The folds of a run, fitted in one stack, or each by a job of its own and gathered.

What a fold becomes depends on no other fold, so both give the same numbers: exactly, where matrix products of one shape
round in one way however many there are (``docs/scatter.md``).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort, read_cohort
from mtlbio.config import Training
from mtlbio.kinds import kind_of
from mtlbio.kinds.schemas import DonorRun
from mtlbio.model.ensemble import FINAL
from mtlbio.parts import Parts, checked_part, folder_of_parts
from mtlbio.progress import say, track
from mtlbio.tables import SPLITS, read_table
from mtlbio.training.deep.fit import Kept
from mtlbio.training.deep.fits import DeepFits
from mtlbio.training.deep.kept import KeptNetworks
from mtlbio.training.deep.lines import deep_lines
from mtlbio.training.device import choose_device
from mtlbio.training.fold_by_fold import fit_one_by_one, one_by_one
from mtlbio.training.fold_predictors import Refit
from mtlbio.training.joined import joined
from mtlbio.training.refits import Refitter, folds_of
from mtlbio.training.step_parts import parts_of_step
from mtlbio.training.stored import put_together, taken_apart

_FINAL = "final"  # the part of the final fold alone


def read_prepared(results: Path) -> tuple[Cohort, pd.DataFrame]:
    """Cohort and splits that ``mtlbio prepare`` wrote."""
    return read_cohort(results / "cohort.h5ad"), read_table(results / "splits.tsv", SPLITS)


def arms_of(cohort: Cohort, options: Training) -> tuple[list[str], list[np.ndarray]]:
    """Name and active tasks of every arm: all tasks together, then each task alone."""
    t = len(cohort.tasks)
    alone = list(np.eye(t)) if options.single_task else []
    return ["multitask"] + ["singletask"] * len(alone), [np.ones(t), *alone]


@dataclass(frozen=True)
class KeptFolds:
    """The deep trunks of every fold that is done, in ``parts/train/deep<fold>``: a killed run goes on after them.

    Of a fold that is not, each network that is done, in ``parts/train/networks<fold>/``.

    Nothing is asked for, and no file hashed, where no trunk is trained.
    """

    run: DonorRun
    results: Path

    @cached_property
    def parts(self) -> Parts:
        """Where they are, for what this run reads."""
        return _parts(self.run, self.results)

    def networks(self, fold: int) -> KeptNetworks:
        """Those of its networks that are done, before the fold is."""
        return KeptNetworks(self.parts, f"networks{fold}")

    def read(self, fold: int) -> DeepFits | None:
        """Those of a fold; None where there are none of these data, options and modules."""
        part = self.parts.read(f"deep{fold}")
        if part is None:
            return None
        say(f"Deep trunk of {'all donors' if fold == FINAL else f'fold {fold}'}: trained before")
        return put_together(DeepFits, part.arrays)

    def write(self, fold: int, found: DeepFits) -> None:
        """Keep them."""
        self.parts.write(f"deep{fold}", taken_apart(found), {"fold": fold})


def fit_folds(
    cohort: Cohort,
    splits: pd.DataFrame,
    options: Training,
    only: Iterable[int] | None = None,
    kept: Kept | None = None,
) -> Refit:
    """Fit all arms and seeds of all folds, or of ``only`` these, in one stack, or one after another where a stack would
    be too large (``training.fit_from``); ``kept`` keeps their deep trunks."""
    device, (_, arms) = choose_device(options.device), arms_of(cohort, options)
    if one_by_one(cohort, splits, options, len(arms)):
        return fit_one_by_one(cohort, splits, options, device, arms, only, kept)
    refitter = Refitter.of(cohort, splits, options, device, arms, message="Finding gene-sparse axes", only=only)
    axes = (f"{'all donors' if data.fold == FINAL else data.fold}: {data.axes.n_axes}" for data in refitter.folds)
    say(f"Axes per fold: {', '.join(axes)}")
    say(f"Training {2 * len(refitter.folds) * len(arms) * options.seeds} networks on {device}")
    (refit,) = refitter.refit(
        [cohort],
        lambda epochs, name: track(epochs, f"Training the {name} block", len(epochs)),
        kept,
        options.processes,
    )
    for line in deep_lines(refit, cohort.tasks):
        say(line)
    return refit


def fit_part(run: DonorRun, results: Path, name: str) -> None:
    """Fit the folds of one part and keep them for :func:`gathered`, in ``parts/train/<name>``.

    Raises
    ------
    InputError
        The run has no such part, or as of :func:`mtlbio.training.train.train`.
    """
    results, names = Path(results), kind_of(run).scatter_of(run, "train")
    checked_part(name, names, "train")
    cohort, splits = read_prepared(results)
    folds = folds_of_part(name, names, splits)
    kept = KeptFolds(run, results)
    arrays = taken_apart(fit_folds(cohort, splits, run.training, folds, kept)) if folds else {}
    kept.parts.write(name, arrays, {"folds": folds})


def gathered(run: DonorRun, results: Path, cohort: Cohort, splits: pd.DataFrame) -> Refit:
    """All folds of a run: of the parts that are there, and what these lack fitted here in one stack."""
    kept: dict[int, Refit] = {}
    of_deep = KeptFolds(run, results)
    if folder_of_parts(results, "train").is_dir():
        parts = of_deep.parts
        names = kind_of(run).scatter_of(run, "train")
        for name, part in ((name, parts.read(name)) for name in names):
            if part is None or not part.arrays:
                continue
            if part.about["folds"] != folds_of_part(name, names, splits):  # made for another number of parts
                say(f"{parts.folder / name}: has other folds; made anew")
                continue
            kept |= dict.fromkeys(part.about["folds"], put_together(Refit, part.arrays))
    missing = [fold for fold in [*folds_of(splits), FINAL] if fold not in kept]
    if not kept:
        return fit_folds(cohort, splits, run.training, kept=of_deep)
    refits = list({id(refit): refit for refit in kept.values()}.values())
    say(f"{len(kept)} of {len(kept) + len(missing)} folds fitted before")
    return joined([*refits, fit_folds(cohort, splits, run.training, missing, of_deep)] if missing else refits)


def folds_of_part(name: str, names: Iterable[str], splits: pd.DataFrame) -> list[int]:
    """Folds that a part fits; ``names`` are those of all parts.

    How many folds there are, a run's YAML need not say (a fold for each site): the k-th part takes every fold whose
    number is k, counted round and round. The final fold has the part ``final``, or where there is none is added to the
    last one.

    Examples
    --------
    >>> splits = pd.DataFrame({"fold": [0, 1, 2, 3]})
    >>> [folds_of_part(name, ("a", "b", "c", "final"), splits) for name in ("a", "b", "c", "final")]
    [[0, 3], [1], [2], [-1]]
    >>> [folds_of_part(name, ("a", "b"), splits) for name in ("a", "b")]
    [[0, 2], [1, 3, -1]]
    """
    names = list(names)
    if name == _FINAL:
        return [FINAL]
    held_out = [other for other in names if other != _FINAL]
    folds = [fold for k, fold in enumerate(folds_of(splits)) if held_out[k % len(held_out)] == name]
    return folds + ([FINAL] if _FINAL not in names and name == names[-1] else [])


def _parts(run: DonorRun, results: Path) -> Parts:
    return parts_of_step(run, results, "train", [results / "cohort.h5ad", results / "splits.tsv"])
