"""Who is held out: folds of donors (or of whole chips, batches, sites), never of samples.

Where families are known they are held out as a whole, as donors are otherwise. Folds depend on the donors' names and
labels and on the seed, not on the order of the samples in a file.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.config import Splits
from mtlbio.errors import InputError
from mtlbio.labels.strata import carried_classes, carried_values
from mtlbio.tables import SPLITS, read_table

FOLDS = 5
# The search for better exchanges is quadratic in the label patterns; beyond these the greedy folds stand.
_PATTERNS, _EXCHANGES = 300, 200


def read_splits(results: Path, cohort: Cohort) -> pd.DataFrame:
    """``splits.tsv`` of a folder of results, in the order of the cohort's samples."""
    return read_table(results / "splits.tsv", SPLITS).set_index("sample").loc[cohort.samples].reset_index()


def make_splits(cohort: Cohort, options: Splits, key: str = "splits") -> pd.DataFrame:
    """Assign every sample the fold in which it is held out.

    Parameters
    ----------
    cohort : prepared cohort
    options : ``kind: donor``: folds of donors (of families where they are known), stratified on all tasks at once by
        iterative stratification (Sechidis, Tsoumakas & Vlahavas 2011). ``kind: leave_out``: one fold per level of the
        covariate ``by``, levels sorted; with ``folds``, so many folds of whole levels, stratified likewise.
    key : of the YAML that ``options`` are from, for messages

    Returns
    -------
    Table with the columns ``sample``, ``donor``, ``fold`` (0, 1, ...), one row per sample of the cohort, and ``family``
    where families are known. A donor (family) is in one fold only, except in ``leave_out``, where a donor's visits may
    lie in several; see :func:`train_test`.

    Of latents that several models made, each without some donors, the folds are those of the models.

    Raises
    ------
    InputError
        Fewer donors, families or levels than folds, a sample without a level of ``by``, or a fold of levels without
        which a class cannot be learnt.
    """
    if cohort.given is not None and cohort.given.fold is not None:
        fold = cohort.given.fold  # of the models that made the latents
    elif options.kind == "leave_out":
        level = cohort.obs[options.by].astype(object)
        if level.isna().any():
            raise InputError(f"{key}.by: {options.by} is missing for sample {level.index[level.isna()][0]!r}")
        names, fold = np.unique(level.to_numpy().astype(str), return_inverse=True)
        if options.folds is not None:
            if len(names) < options.folds:
                raise InputError(
                    f"{key}.folds: {options.folds} folds need as many levels of {options.by}; found {len(names)}"
                )
            counted = [task.counted(fold, cohort.y(name)) for name, task in cohort.tasks.items()]
            labels, sizes = np.concatenate(counted, axis=1), np.bincount(fold)
            fold = _stratify(labels, sizes, options.folds, [options.seed, 2])[fold]
            _check_training(cohort, fold, options, key)
    else:
        (donors, place), folds = np.unique(cohort.clusters, return_inverse=True), options.folds or FOLDS
        if len(donors) < folds:
            what = "donors" if cohort.families is None else "families"
            raise InputError(f"splits.folds: {folds} folds need as many {what}; found {len(donors)}")
        if cohort.families is None:
            carried = [task.carried(place, cohort.y(name), len(donors), folds) for name, task in cohort.tasks.items()]
        else:  # families differ in size, as sites do
            carried = [task.counted(place, cohort.y(name)) for name, task in cohort.tasks.items()]
        fold = _stratify(np.concatenate(carried, axis=1), np.bincount(place), folds, [options.seed, 0])[place]
    table = pd.DataFrame({"sample": cohort.samples, "donor": cohort.donors, "fold": fold.astype(int)})[SPLITS]
    return table if cohort.families is None else table.assign(family=cohort.families)


def train_test(splits: pd.DataFrame, fold: int) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers that train and that test ``fold``.

    Training leaves out every sample of a donor who has a sample in the fold, so that no donor is on both sides; where
    ``splits`` has the column ``family``, every sample of that donor's family.

    Examples
    --------
    >>> splits = pd.DataFrame({"sample": list("abcd"), "donor": ["d1", "d1", "d2", "d3"], "fold": [0, 1, 1, 0]})
    >>> [rows.tolist() for rows in train_test(splits, 0)]
    [[2], [0, 3]]
    """
    held_out = (splits["fold"] == fold).to_numpy()
    donors = splits["family" if "family" in splits else "donor"].astype(str)
    training = ~donors.isin(donors[held_out]).to_numpy()
    return np.flatnonzero(training), np.flatnonzero(held_out)


def inner_folds(donors: np.ndarray, y: np.ndarray | None, n: int, seed: int) -> np.ndarray:
    """Donor-grouped stratified folds for tuning among training donors.

    Parameters
    ----------
    donors : (samples,) donor of each sample, or its family.
    y : (samples,) or (samples, tasks) labels, NaN where missing; at most ten distinct values count as classes, more are
        binned. None: folds of equal numbers of donors.
    n : number of folds; no more than there are donors are made
    seed : same donors, labels and seed: same folds, whatever the order of the samples

    Returns
    -------
    (samples,) fold 0 .. n-1
    """
    names, place = np.unique(np.asarray(donors).astype(str), return_inverse=True)
    n = max(1, min(n, len(names)))
    if y is None:
        labels = np.zeros((len(names), 0), dtype=bool)
    else:
        tasks = np.atleast_2d(np.asarray(y, dtype=float).T)
        labels = np.concatenate([_carried(place, task, len(names), n) for task in tasks], axis=1)
    return _stratify(labels, np.bincount(place), n, [seed, 1])[place]


def _carried(place: np.ndarray, y: np.ndarray, owners: int, folds: int) -> np.ndarray:
    """Labels that every donor carries, where only numbers are known: at most ten distinct ones are classes."""
    if len(np.unique(y[~np.isnan(y)])) <= 10:
        return carried_classes(place, y, owners)
    return carried_values(place, y, owners, folds)


def _check_training(cohort: Cohort, fold: np.ndarray, options: Splits, key: str) -> None:
    for f in np.unique(fold):
        training = ~np.isin(cohort.clusters, cohort.clusters[fold == f])
        for name, task in cohort.tasks.items():
            y = cohort.y(name)[training]
            if len(np.unique(y[~np.isnan(y)])) < max(2, len(task.classes)):
                raise InputError(
                    f"{key}.folds: {options.folds} folds of {options.by}: holding one out leaves too few labels to "
                    f"train tasks.{name} on; expected every class outside each fold"
                )


def _stratify(labels: np.ndarray, sizes: np.ndarray, folds: int, seed: list[int]) -> np.ndarray:
    """Fold of every donor, by iterative stratification and a few exchanges.

    Rarest label first, each of its donors goes to the fold that still lacks most of it; ties go to the fold that lacks
    most donors, then to the one with the fewest samples. The greedy order can leave a frequent label uneven: donors
    are then exchanged between folds for as long as that evens the labels out.

    ``labels``: (donors, labels) bool; of levels in place of donors, how many samples carry each. ``sizes``: (donors,)
    samples per donor.
    """
    donors = len(labels)
    rng = np.random.default_rng(seed)
    order = rng.permutation(donors)
    tie = rng.permutation(folds)
    labels = labels[:, labels.any(axis=0)].astype(float)
    lacking = np.tile(labels.sum(axis=0) / folds, (folds, 1))
    room = np.full(folds, donors / folds)
    samples = np.zeros(folds)
    fold = np.full(donors, -1)
    waiting = np.ones(donors, dtype=bool)

    def assign(donor: int, need: np.ndarray) -> None:
        best = int(np.lexsort((tie, samples, -room.round(9), -need.round(9)))[0])
        fold[donor] = best
        waiting[donor] = False
        lacking[best] -= labels[donor]
        room[best] -= 1
        samples[best] += sizes[donor]

    while waiting.any():
        left = labels[waiting].sum(axis=0)
        if not (left > 0).any():
            for donor in order[waiting[order]]:
                assign(donor, room)
            break
        label = int(np.argmin(np.where(left > 0, left, np.inf)))
        members = order[waiting[order] & (labels[order, label] > 0)]
        # many visits first: they are the hardest to place evenly
        for donor in members[np.argsort(-sizes[members], kind="stable")]:
            assign(donor, lacking[:, label])
    return _exchange(fold, labels, folds)


def _exchange(fold: np.ndarray, labels: np.ndarray, folds: int) -> np.ndarray:
    """Exchange or move donors between folds while that brings the label counts closer to even.

    The distance is the sum over folds and labels of (count - even)^2 / frequency of the label, so that rare classes
    weigh most, plus the same for the number of donors.
    """
    # donors of one label pattern are interchangeable: exchanges are searched over patterns, not over donors
    patterns, pattern = np.unique(labels, axis=0, return_inverse=True)
    pattern = pattern.ravel()
    if len(patterns) > _PATTERNS:
        return fold
    fold = fold.copy()
    weights = 1 / np.maximum(labels.sum(axis=0), 1)
    even, members = labels.sum(axis=0) / folds, len(labels) / folds
    counts = np.zeros((folds, len(patterns)))
    np.add.at(counts, (fold, pattern), 1)
    square = patterns**2 @ weights
    apart = square[:, None] + square[None, :] - 2 * (patterns * weights) @ patterns.T
    for _ in range(_EXCHANGES):
        excess = counts @ patterns - even
        size = counts.sum(axis=1)
        best = -1e-9
        change: tuple[int, int, int, int | None] | None = None
        for a, b in np.argwhere(~np.eye(folds, dtype=bool)):
            # moving x from a to b changes the distance by 2 x.(excess_b - excess_a) + 2 x.x
            toward = patterns @ ((excess[b] - excess[a]) * weights)
            alone = 2 * (toward + square + (size[b] - size[a] + 1) / members)
            alone[counts[a] == 0] = np.inf
            p = int(np.argmin(alone.round(9)))
            if alone[p] < best:
                best, change = float(alone[p]), (a, b, p, None)
            if a < b:
                swapped = 2 * (toward[:, None] - toward[None, :] + apart)
                swapped[counts[a] == 0, :] = np.inf
                swapped[:, counts[b] == 0] = np.inf
                place = np.unravel_index(int(np.argmin(swapped.round(9))), swapped.shape)
                if swapped[place] < best:
                    best, change = float(swapped[place]), (a, b, int(place[0]), int(place[1]))
        if change is None:
            break
        a, b, p, q = change
        moves = [(a, b, p)] if q is None else [(a, b, p), (b, a, q)]
        chosen = [np.flatnonzero((fold == source) & (pattern == kind))[0] for source, _, kind in moves]
        for donor, (source, target, kind) in zip(chosen, moves, strict=True):
            fold[donor] = target
            counts[source, kind] -= 1
            counts[target, kind] += 1
    return fold
