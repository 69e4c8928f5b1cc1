"""Columns among the genes whose values are of another kind than all others: an age, a RIN, a 0/1 label."""

from __future__ import annotations

import numpy as np

from mtlbio.cohort.values.value_profile import Profile

LARGEST_LOG = 50.0  # no logarithm of a measurement is larger
_FEW, _SHARE = 3, 0.02  # columns of another kind are few


def of_another_kind(seen: Profile) -> tuple[np.ndarray, dict[str, str]]:
    """(genes,) which columns do not go with the rest, and what is odd about each.

    A column is one of them where its median lies far above what all others reach, where it alone is not whole among
    whole numbers or leaves the interval from 0 to 1, or where it alone holds whole numbers.
    """
    number = len(seen.genes)
    odd: dict[int, str] = {}
    if number < 4:
        return np.zeros(number, dtype=bool), {}
    varies = seen.highest > seen.lowest
    known = np.isfinite(seen.typical)
    whole = (seen.fractional == 0) & known
    inside = (seen.lowest >= 0) & (seen.highest <= 1) & known
    reached = float(np.quantile(np.abs(seen.highest[known]), 0.95)) if known.any() else np.inf
    bounded = reached <= LARGEST_LOG  # before a logarithm is taken a few genes tower above all others
    far = known & (np.abs(seen.typical) > max(1.5 * reached, 1.0))
    far &= np.abs(seen.typical) > 1.2 * np.abs(seen.highest[known & ~far]).max(initial=0)
    if bounded and _few(far, number):
        odd |= {
            i: f"median {seen.typical[i]:.3g} where the others end near {reached:.3g}"
            for i in np.flatnonzero(far).tolist()
        }
    if _few(~whole & known, number) and seen.highest[whole].max(initial=0) > 10:
        odd |= {i: "not whole where all others are" for i in np.flatnonzero(~whole & known).tolist()}
    elif _few(~inside & known, number) and seen.highest[inside].max(initial=0) > 0.5:
        odd |= {
            i: f"{_range(seen, i)} where the others are from 0 to 1" for i in np.flatnonzero(~inside & known).tolist()
        }
    elif bounded and _few(whole & varies, number):
        odd |= {
            i: f"whole numbers ({_range(seen, i)}) where no other is" for i in np.flatnonzero(whole & varies).tolist()
        }
    mask = np.zeros(number, dtype=bool)
    mask[list(odd)] = True
    return mask, {str(seen.genes[i]): why for i, why in sorted(odd.items())}


def _few(mask: np.ndarray, number: int) -> bool:
    return 0 < mask.sum() <= max(_FEW, _SHARE * number) and mask.sum() < number / 3


def _range(seen: Profile, place: int) -> str:
    return f"{seen.lowest[place]:.3g} to {seen.highest[place]:.3g}"
