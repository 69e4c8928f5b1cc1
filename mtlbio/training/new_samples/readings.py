"""What a file of new samples holds where it is not on the scale of the training samples.

Every reading of it that people mean (another logarithm, none, percent, M values, all values shifted) is tried: one that
lands where held-out training samples lie, where the file as it is does not, names the mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from mtlbio.cohort.qc import to_log_scale
from mtlbio.training.new_samples.departure import Departures, departures
from mtlbio.training.new_samples.onto_scale import of_libraries

Array = np.ndarray
Reading = tuple[str, str, Callable[[Array], Array]]

# Of held-out training samples no distance above this many times their median counts as usual.
_MOST_OF_MEDIAN = 3.0
# A reading has to be so many times nearer than the file as it is, and leave no more gaps than this share.
_NEARER, _MORE_GAPS = 1.5, 0.05
# Samples of another batch differ by a constant too: only beyond so many times the usual distance it is a mistake.
TOO_FAR = 2.0
_SAME_SLOPE = 0.2
# Mean of a standardised sample, in its SD.
_CENTRED = 0.5


@dataclass(frozen=True)
class Model:
    """What the comparison needs of a model, p genes.

    Attributes
    ----------
    scale, size : of its cohort (:func:`mtlbio.cohort.qc.to_log_scale`)
    genes : (p,) its columns among those of the cohort
    mean, spread : (p,) of its training samples
    held_out : of every training sample, from the training samples of its fold
    """

    scale: str
    size: float | None
    genes: Array
    mean: Array
    spread: Array
    held_out: Departures

    @property
    def usual(self) -> float:
        """Largest distance that is usual."""
        return float(min(self.held_out.distance.max(), _MOST_OF_MEDIAN * np.median(self.held_out.distance)))

    def departures(self, values: Array) -> Departures:
        """Of samples (n, genes of the cohort) on its scale."""
        return departures(values[:, self.genes], self.mean, self.spread)


def looks_like(raw: Array, values: Array | None, model: Model) -> str:
    """What a file looks like and what to do, in words; empty where no reading of it fits better than ``values`` do.

    ``raw`` (n, genes of the cohort) as the file has them, ``values`` on the model's scale, NaN where not measured; None
    where the file cannot be on the scale that it should be on.
    """
    raw = np.where(np.isfinite(raw), raw, np.nan)
    as_is = np.inf if values is None else float(np.nanmedian(model.departures(values).distance))
    best, words, how = as_is, "", ""
    for meant, remedy, function in _readings(raw, as_is, model):
        with np.errstate(all="ignore"):
            read = function(raw)
        read[~np.isfinite(read)] = np.nan
        if np.isnan(read).sum() > np.isnan(raw).sum() + _MORE_GAPS * read.size:
            continue
        distance = float(np.nanmedian(model.departures(read).distance))
        if distance < best:
            best, words, how = distance, meant, remedy
    if words and best <= model.usual and _NEARER * best <= as_is:
        return f"look like {words}{_slope(values, model)}: {how}, and they lie {best:.1f} SD from the means"
    return "" if values is None else _without_means(values, as_is, model)


def _readings(raw: Array, as_is: float, model: Model) -> Iterator[Reading]:
    """What a file may hold, what to do about it, and how its values come onto the model's scale."""
    scale, size = model.scale, model.size
    if scale in ("beta", "percent"):
        words, remedy, factor = _METHYLATION[scale]
        yield words, remedy, lambda x: to_log_scale(x * factor, scale, size)
        yield "M values", f"give {scale} values (beta is 2^M / (2^M + 1))", np.array
        return
    if scale == "linear":
        for letter, factor in (("2", 1.0), ("e", 1 / np.log(2)), ("10", np.log2(10))):
            words, remedy = f"logarithms (base {letter})", f"give them without, {letter}^x - 1"
            yield words, remedy, partial(np.multiply, factor)
        return
    if scale == "counts":
        yield "normalised values (CPM, TPM), no counts", "give the counts", partial(of_libraries, size=size)
        for base, name in ((2.0, "log2(x + 1)"), (np.e, "ln(x + 1)"), (10.0, "log10(x + 1)")):
            undo = f"give the counts, which the model normalises itself, or {base:.3g}^x - 1"
            yield f"{name} of counts", undo, partial(_of_logarithms, base=base, size=size)
        return
    if np.isfinite(model.held_out.slope).any():  # not of z-scores, which have lost their logarithm
        slope = _median_slope(raw, model)
        for factor, given, trained in _BASES:
            if slope > 0 and abs(np.log(slope * factor)) >= abs(np.log(slope)):
                continue  # nearer by chance, because values that lie too high were made smaller
            words = f"{given} of what the model was trained on as {trained}"
            yield words, f"multiply by {factor:.4g}", partial(np.multiply, factor)
        for name, function in _LOGARITHMS.items():
            yield "linear values, no logarithms", f"take {name}", function
    if np.isfinite(as_is) and as_is > TOO_FAR * model.usual and _same_slope(raw, model):
        offset = float(np.nanmedian(raw[:, model.genes] - model.mean))
        yield f"values with {offset:+.2f} added to all", f"take {offset:+.2f} away", partial(np.add, -offset)


_BASES = (
    (np.log2(10), "log10", "log2"),
    (1 / np.log(2), "natural logarithms", "log2"),
    (np.log(10), "log10", "natural logarithms"),
    (np.log(2), "log2", "natural logarithms"),
    (1 / np.log(10), "natural logarithms", "log10"),
    (np.log10(2), "log2", "log10"),
)
_METHYLATION = {
    "beta": ("percent", "divide by 100", 0.01),
    "percent": ("beta values from 0 to 1", "multiply by 100", 100.0),
}
_LOGARITHMS: dict[str, Callable[[Array], Array]] = {
    "log2(x + 1)": lambda x: np.log2(x + 1),
    "log2(x)": np.log2,
    "ln(x + 1)": np.log1p,
    "log10(x + 1)": lambda x: np.log10(x + 1),
    "log2(CPM + 1)": lambda x: np.log2(x / np.nansum(x, axis=1, keepdims=True) * 1e6 + 1),
    "ln(CP10K + 1)": lambda x: np.log1p(x / np.nansum(x, axis=1, keepdims=True) * 1e4),
}


def _of_logarithms(values: Array, base: float, size: float | None) -> Array:
    """Logarithms of normalised counts, normalised as the model does."""
    return of_libraries(np.maximum(np.power(base, values) - 1, 0), size)


def _same_slope(raw: Array, model: Model) -> bool:
    slope = _median_slope(raw, model)
    return not np.isfinite(slope) or abs(slope - 1) < _SAME_SLOPE


def _median_slope(raw: Array, model: Model) -> float:
    """Of the samples; NaN where it is not known of any."""
    slope = model.departures(raw).slope
    return float(np.nanmedian(slope)) if np.isfinite(slope).any() else float("nan")


def _slope(values: Array | None, model: Model) -> str:
    slope = np.array([np.nan]) if values is None else model.departures(values).slope
    if not np.isfinite(slope).any():
        return ""
    return f" (slope {np.nanmedian(slope):.2f} on the training means, 1 expected)"


def _without_means(values: Array, as_is: float, model: Model) -> str:
    """What to say of values that were standardised, gene by gene or sample by sample; empty where they were not."""
    found, own = model.departures(values), values[:, model.genes]
    own = own[~np.isnan(own).all(axis=1)]
    if not np.isfinite(found.slope).any() or as_is <= model.usual:
        return ""
    slope, agreement = float(np.nanmedian(found.slope)), float(np.nanmedian(found.agreement))
    middle, spread = float(np.median(np.nanmean(own, axis=1))), float(np.median(np.nanstd(own, axis=1)))
    if np.nanmin(own) >= 0 and np.nanmax(own) <= 1:
        what = "numbers from 0 to 1 (beta values, shares, ranks?)"
    elif not (abs(middle) < _CENTRED * spread and 0.2 < spread < 3):
        return ""
    elif abs(slope) < 0.3 and abs(agreement) < 0.4:
        what = "z-scores of each gene"
    elif as_is > TOO_FAR * model.usual and agreement > np.nanmin(model.held_out.agreement) - 0.1:
        what = "samples that were centred and scaled each by itself"
    else:
        return ""
    return (
        f"look like {what} (mean {middle:.1f}, SD {spread:.1f}, slope {slope:.2f} on the training means, 1 expected): "
        f"give them on the scale of the training cohort ({model.scale}), or, of 10 samples or more, --standardise "
        "cohort"
    )
