"""Are new samples on the scale of the training samples, and as near to their means as held-out ones?"""

from __future__ import annotations

import numpy as np

from mtlbio.training.new_samples.checks import FINE, LOOK, REFUSED, Checks
from mtlbio.training.new_samples.departure import Departures
from mtlbio.training.new_samples.readings import TOO_FAR, Array, Model, looks_like

# From so many samples on their median is compared, below each sample with a wider range.
_SEVERAL = 5
_WIDER = 0.5  # of the range
_RARE = 0.001
_ALONE = 1.5  # times the farthest training sample: one sample that is said by name
_LISTED = 3


def check_scale(raw: Array, values: Array, samples: Array, model: Model, checks: Checks) -> None:
    """Compare samples with the training samples, and say or refuse what is not as those are.

    ``raw`` (n, genes of the cohort) as the file has them, ``values`` on the model's scale, NaN where not measured.
    """
    found = model.departures(values)
    distance = float(np.nanmedian(found.distance))
    outside = {name: _outside(getattr(found, name), getattr(model.held_out, name)) for name in ("slope", "shift")}
    far, reading = distance > model.usual, ""
    if far or outside["slope"]:
        reading = looks_like(raw, values, model)
    range_ = f"{model.held_out.distance.min():.1f} to {model.held_out.distance.max():.1f}"
    place = f"{distance:.1f} SD per gene from the training means (held-out training samples {range_})"
    if reading:
        checks.refuse(f"the samples {reading}; as they are they lie {place}")
    elif distance > TOO_FAR * model.usual:
        checks.refuse(
            f"the samples lie {place}, {_described(found)}: another scale, tissue or platform? Of 10 samples or more "
            "of another laboratory: --standardise cohort"
        )
    else:
        _say_shift(found, outside, model, checks)
        _say_far(found.distance, samples, model, checks)
    for name in ("slope", "shift", "agreement"):
        own, theirs = getattr(found, name), getattr(model.held_out, name)
        if np.isfinite(own).any() and np.isfinite(theirs).any():
            call = LOOK if outside.get(name) else FINE
            checks.add(
                name, "all samples", np.nanmedian(own), np.median(theirs), theirs.min(), theirs.max(), call, _WHY[name]
            )
    held, refused = model.held_out.distance, bool(checks.refusals)
    for sample, value in zip(samples, found.distance, strict=True):
        call = REFUSED if refused else LOOK if value > held.max() else FINE
        checks.add("distance", sample, value, np.median(held), held.min(), held.max(), call, _WHY["distance"])


_WHY = {
    "slope": "of a sample's genes on the training means; 1 where the scale is the same",
    "shift": "median over genes of the distance from the training mean, in SD of the gene",
    "agreement": "correlation of a sample's genes with the training means",
    "distance": "root mean square over genes of the distance from the training mean, in SD of the gene",
}


def _described(found: Departures) -> str:
    words = f"shifted by {float(np.nanmedian(found.shift)):+.1f} SD"
    if not np.isfinite(found.slope).any():
        return words
    return f"{words}, slope {np.nanmedian(found.slope):.2f} on their means (1 expected)"


def _outside(new: Array, held_out: Array) -> bool:
    """Whether the median of new samples lies where no single held-out training sample does."""
    if not (np.isfinite(new).any() and np.isfinite(held_out).any()):
        return False
    low, high = held_out.min(), held_out.max()
    room = 0.0 if len(new) >= _SEVERAL else _WIDER * (high - low)
    return not low - room <= float(np.nanmedian(new)) <= high + room


def _say_shift(found: Departures, outside: dict[str, bool], model: Model, checks: Checks) -> None:
    said = {"slope": "slope of the genes on the training means", "shift": "median shift of the genes, in SD"}
    for name, words in said.items():
        if outside[name]:
            own, theirs = float(np.nanmedian(getattr(found, name))), getattr(model.held_out, name)
            checks.look(
                f"{words}: {own:.2f}, held-out training samples {theirs.min():.2f} to {theirs.max():.2f}: another "
                "batch or platform? Numbers (ages, doses) may be off"
            )


def _say_far(distance: Array, samples: Array, model: Model, checks: Checks) -> None:
    """Name samples that lie farther than every held-out training sample, where chance does not explain them."""
    held = model.held_out.distance
    beyond = np.flatnonzero(distance > held.max())
    m, n = len(distance), len(held)
    # k of m new samples beyond all n of the same kind: by symmetry
    chance = float(np.prod([(m - i) / (m + n - i) for i in range(len(beyond))]))
    if len(beyond) and (chance < _RARE or np.nanmax(distance) > _ALONE * held.max()):
        order = beyond[np.argsort(-distance[beyond], kind="stable")]
        named = ", ".join(f"{samples[i]} ({distance[i]:.1f})" for i in order[:_LISTED])
        more = f" and {len(order) - _LISTED} more" if len(order) > _LISTED else ""
        checks.look(
            f"{len(beyond)} of {m} samples lie farther from the training means than each of the {n} training samples "
            f"when held out (at most {held.max():.1f} SD per gene): {named}{more}"
        )
