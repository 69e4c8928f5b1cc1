"""Latents of samples that have some of several blocks, by the model of every fold, and the heads that read them.

What a sample's latents rest on differs from sample to sample, so that no one encoder makes them: kept are the latents
of the samples of the cohort, as every fold's model encodes them, and what their predictions are made of.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from mtlbio.errors import InputError
from mtlbio.labels import Label
from mtlbio.model.ensemble import FINAL
from mtlbio.model.outputs import Outputs

FILE = "latents.safetensors"


@dataclass(frozen=True)
class BlockFold:
    """One fold's model; s seeds, n samples, d dimensions, c columns, o outputs, t tasks.

    Attributes
    ----------
    latents : (s, n, d) of all samples
    weights : (s, d, c) of the heads
    bias : (s, n, o) of every sample, as its blocks have it
    mean, scale : (t,) by which labels became targets
    """

    latents: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    mean: np.ndarray
    scale: np.ndarray


@dataclass(frozen=True)
class BlockLatents:
    """The models of all folds, by fold; ``fold`` (n,) says which one holds a sample out."""

    folds: dict[int, BlockFold]
    fold: np.ndarray

    def out_of_fold(self) -> np.ndarray:
        """(n, d) of each sample by the model that never saw its donor, averaged over seeds."""
        whole = np.empty(self.folds[FINAL].latents.shape[1:])
        for number in np.unique(self.fold):
            rows = self.fold == number
            whole[rows] = self.folds[int(number)].latents[:, rows].mean(axis=0)
        return whole

    def predict(self, tasks: dict[str, Label], task: str, latents: np.ndarray, fold: int) -> np.ndarray:
        """Predictions (s, m) or (s, m, classes) from the latents (s, m, d) of the samples that a fold holds out."""
        packing, t, model = Outputs.of(tasks), list(tasks).index(task), self.folds[fold]
        columns, place = packing.columns[t], packing.outputs[t]
        outputs = latents @ model.weights[:, :, columns] @ packing.expand[columns, place]
        outputs = outputs + model.bias[:, self.fold == fold, place]
        return tasks[task].to_prediction(outputs, model.mean[t], model.scale[t])

    def save(self, folder: Path) -> None:
        """Write ``latents.safetensors``."""
        arrays = {f"{n}/{key}": np.ascontiguousarray(v) for n, m in self.folds.items() for key, v in vars(m).items()}
        save_file(arrays | {"fold": self.fold.astype(np.int64)}, folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> "BlockLatents":
        """Inverse of :meth:`save`; an InputError where there is none."""
        if not (folder / FILE).exists():
            raise InputError(f"{folder / FILE}: no such file; run `mtlbio train` first")
        arrays = load_file(folder / FILE)
        fold, parts = arrays.pop("fold"), dict[int, dict[str, np.ndarray]]()
        for name, values in arrays.items():
            number, _, key = name.partition("/")
            parts.setdefault(int(number), {})[key] = values
        return cls({number: BlockFold(**part) for number, part in parts.items()}, fold)
