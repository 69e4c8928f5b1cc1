"""All samples as every fold's model encodes them, in dimensions that mean the same in every fold."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from mtlbio.errors import InputError
from mtlbio.files import replacing
from mtlbio.model.blocks import standardised
from mtlbio.model.ensemble import FINAL
from mtlbio.model.matching import match_axes

FILE = "latents.safetensors"


@dataclass(frozen=True)
class Encodings:
    """Latents of n samples by models that another program made.

    Attributes
    ----------
    by_fold : fold -> (n, D); ``FINAL`` is the model that was made of everybody
    stability : (D,) median absolute correlation of a dimension of the final model with its partner in a fold, over the
        samples that this fold holds out
    """

    by_fold: dict[int, np.ndarray]
    stability: np.ndarray

    @classmethod
    def matched(cls, raw: Mapping[int, np.ndarray], fold: np.ndarray) -> "Encodings":
        """Dimensions of every fold in the order and with the sign of the final model's (Hungarian method on absolute
        correlation over all samples), each in standard deviations of the fold's own training samples. What does not
        vary is left out (factors that MOFA2 has switched off).

        ``raw``: fold -> (n, k) as they came, numbers of dimensions may differ; ``fold``: (n,) that holds a sample out.
        """
        raw = {number: values[:, _varies(values)] for number, values in raw.items()}
        if not all(values.shape[1] for values in raw.values()):
            raise InputError("latents.encode: no dimension of {out} varies over the samples")
        final = standardised(raw[FINAL])
        by_fold, agreement = {FINAL: final}, []
        for number in sorted(set(raw) - {FINAL}):
            own = standardised(raw[number], fold != number)
            by_fold[number] = own @ match_axes(final, own).transfer
            agreement.append(_correlation(final[fold == number], by_fold[number][fold == number]))
        return cls(by_fold, np.median(agreement, axis=0))

    def out_of_fold(self, fold: np.ndarray) -> np.ndarray:
        """(n, D) every sample as the model encodes it that never saw its donor."""
        out = np.full_like(self.by_fold[FINAL], np.nan)
        for number in np.unique(fold):
            out[fold == number] = self.by_fold[int(number)][fold == number]
        return out

    def save(self, folder: Path) -> None:
        """Write ``model/latents.safetensors``."""
        parts = {f"fold_{number}": np.ascontiguousarray(values) for number, values in self.by_fold.items()}
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / FILE) as temporary:
            save_file(parts | {"stability": self.stability}, temporary)

    @classmethod
    def load(cls, folder: Path) -> "Encodings":
        """Inverse of :meth:`save`; an InputError where there is none."""
        if not (folder / FILE).exists():
            raise InputError(f"{folder / FILE}: no such file; run `mtlbio train` first")
        parts = load_file(folder / FILE)
        stability = parts.pop("stability")
        return cls({int(name.removeprefix("fold_")): values for name, values in parts.items()}, stability)


def _varies(values: np.ndarray) -> np.ndarray:
    """(k,) whether a column is more than a constant, next to the one that varies most."""
    spread = values.std(axis=0)
    return spread > 1e-5 * max(float(spread.max(initial=0.0)), np.finfo(float).tiny)


def _correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    size = np.sqrt(np.square(a).sum(axis=0) * np.square(b).sum(axis=0))
    return np.abs((a * b).sum(axis=0)) / np.where(size > 0, size, np.inf)
