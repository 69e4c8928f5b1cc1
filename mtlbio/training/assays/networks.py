"""What predicts samples that training has not seen: the networks of all sets of blocks, and how they are weighed.

``model/networks/<set>`` is a trained model like that of a cohort of one assay, for every set of blocks that has one;
``model/blocks.safetensors`` says how much of each, in which units, and what the dimensions make of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors.numpy import load_file, save_file

from mtlbio.cohort.assays.blocks import Pattern, of_blocks, plain, said
from mtlbio.cohort.features import Features
from mtlbio.errors import InputError
from mtlbio.labels import Label
from mtlbio.model.block_axes import BlockAxes
from mtlbio.model.ensemble import FINAL, Ensemble, load_ensemble, write_ensemble
from mtlbio.model.outputs import Outputs
from mtlbio.training.assays.dimensions import Dimensions
from mtlbio.training.assays.fit import FittedBlocks
from mtlbio.training.assays.stack import common_units, read
from mtlbio.training.fold_in import fold_in
from mtlbio.training.new_samples.onto_model import filled
from mtlbio.training.new_samples.reference import Reference, reference_of_genes
from mtlbio.training.stacked_predictors import StackingWeights, column_means
from mtlbio.training.stored import put_together, taken_apart

NETWORKS, FILE = "networks", "blocks.safetensors"


@dataclass(frozen=True)
class Weighed:
    """Of the final fold, t tasks and o outputs.

    Attributes
    ----------
    mixture : set of blocks in one word -> task -> shares of the networks that it is predicted by
    scale, shift : network -> (o,) by which its outputs come into the units of the whole cohort
    target_mean, target_scale : (t,) of these units
    features, axes : of all blocks, with (b,) its features' blocks
    dimensions : what axes and outputs become
    """

    mixture: dict[str, dict[str, StackingWeights]]
    scale: dict[str, np.ndarray]
    shift: dict[str, np.ndarray]
    target_mean: np.ndarray
    target_scale: np.ndarray
    features: Features
    axes: BlockAxes
    dimensions: Dimensions

    @classmethod
    def of(cls, fit: FittedBlocks) -> Weighed:
        """What was fitted to all donors."""
        final, packing = fit.numbers.index(FINAL), Outputs.of(fit.cohort.tasks)
        units = {said(own): common_units(view, fit.targets, packing) for own, view in fit.views.items()}
        mixture: dict[str, dict[str, StackingWeights]] = {}
        for (pattern, i, arm, t), weights in fit.stacked.mixture.items():
            if i == final and arm == 0:
                mixture.setdefault(said(pattern), {})[packing.tasks[t].name] = weights
        return cls(
            mixture,
            {name: scale[final] for name, (scale, _) in units.items()},
            {name: shift[final] for name, (_, shift) in units.items()},
            fit.targets.mean[final],
            fit.targets.scale[final],
            fit.axes[FINAL].features,
            fit.axes[FINAL].axes,
            fit.canonical.dimensions,
        )


def save_networks(fit: FittedBlocks, splits: pd.DataFrame, folder: Path, seeds: list[int]) -> None:
    """Write ``networks/`` and ``blocks.safetensors`` into the folder of a model.

    Of a network of one block all folds are kept, with what new samples are compared with; of several blocks the final
    fold alone.
    """
    save_file({name: np.ascontiguousarray(own) for name, own in taken_apart(Weighed.of(fit)).items()}, folder / FILE)
    about = fit.cohort.preprocessing["blocks"]
    for own, view in fit.views.items():
        part = of_blocks(fit.cohort, own, view.rows)
        ensemble, reference = fold_in(part, view.refit, seeds).ensemble, None
        description: dict[str, Any] = {"kind": "cohort", "blocks": list(own)}
        if len(own) == 1:
            one = replace(part, preprocessing={"kind": "cohort"} | about[own[0]])
            reference = reference_of_genes(one, ensemble, splits.iloc[view.rows].reset_index(drop=True))
            ensemble = replace(ensemble, genes=tuple(map(plain, ensemble.genes)))
            description |= {"preprocessing": one.preprocessing}
        else:
            ensemble = replace(ensemble, models={FINAL: ensemble.models[FINAL]})
        write_ensemble(ensemble, folder / NETWORKS / said(own), description, reference)


@dataclass(frozen=True)
class BlockModel:
    """The final networks of a run with blocks; ``preprocessing`` by block, in the order of the run."""

    networks: dict[Pattern, Ensemble]
    references: dict[str, Reference | None]
    weighed: Weighed
    preprocessing: Mapping[str, Mapping[str, Any]]

    @classmethod
    def load(cls, folder: Path) -> BlockModel:
        """Of a model's folder.

        Raises
        ------
        InputError
            An earlier mtlbio trained it, which kept no networks.
        """
        if not (folder / FILE).is_file():
            raise InputError(f"{folder}: keeps no networks (an earlier mtlbio trained it); train again")
        preprocessing = json.loads((folder / "model.json").read_text(encoding="utf-8"))["preprocessing"]["blocks"]
        weighed = put_together(Weighed, load_file(folder / FILE))
        networks = {tuple(name.split("+")): folder / NETWORKS / name for name in weighed.scale}
        order = sorted(networks, key=lambda own: (len(own), [list(preprocessing).index(name) for name in own]))
        references = {name: Reference.read(networks[name,]) for name in preprocessing}
        return cls({own: load_ensemble(networks[own]) for own in order}, references, weighed, preprocessing)

    @cached_property
    def tasks(self) -> dict[str, Label]:
        """By name, in the order of the outputs."""
        return next(iter(self.networks.values())).tasks

    @property
    def names(self) -> list[str]:
        """Of the blocks."""
        return list(self.preprocessing)

    def shares(self, pattern: Pattern, task: str) -> dict[Pattern, float]:
        """Networks that a set of blocks is predicted by, and how much of each."""
        weights = self.weighed.mixture[said(pattern)][task]
        return dict(zip(read(pattern, self.networks), weights.shares.tolist(), strict=True))

    def outputs(self, values: Mapping[str, np.ndarray], patterns: list[Pattern]) -> np.ndarray:
        """(s, n, o) stacked outputs of samples in the units of the whole cohort, each from the blocks that it has.

        Parameters
        ----------
        values : block -> (n, its genes); what stands in a block that a sample lacks is not read
        patterns : (n,) which blocks a sample has; NaN where it has none
        """
        packing, brought = Outputs.of(self.tasks), dict[Pattern, np.ndarray]()
        seeds = len(next(iter(self.networks.values())).seeds)
        whole = np.full((seeds, len(patterns), packing.n_outputs), np.nan)
        for own, network in self.networks.items():
            rows = np.array([set(own) <= set(pattern) for pattern in patterns])
            outputs = np.full_like(whole, np.nan)
            if rows.any():
                x = filled(np.concatenate([values[name][rows] for name in own], axis=1), network, None)
                outputs[:, rows] = network.outputs(network.latents(x))
            brought[own] = outputs * self.weighed.scale[said(own)] + self.weighed.shift[said(own)]
        for pattern in {own for own in patterns if own}:
            rows, parts = np.array([own == pattern for own in patterns]), read(pattern, self.networks)
            for t, task in enumerate(packing.tasks):
                weights, place = self.weighed.mixture[said(pattern)][task.name], packing.outputs[t]
                mixed = weights.bias + sum(
                    w * brought[p][..., place] for w, p in zip(weights.shares, parts, strict=True)
                )
                whole[:, rows, place] = mixed[:, rows]
        return whole

    def predict(self, task: str, outputs: np.ndarray) -> np.ndarray:
        """(s, n) or (s, n, classes) from stacked outputs."""
        t, packing = list(self.tasks).index(task), Outputs.of(self.tasks)
        of_task = outputs[:, :, packing.outputs[t]]
        return self.tasks[task].to_prediction(of_task, self.weighed.target_mean[t], self.weighed.target_scale[t])

    def latents(self, values: Mapping[str, np.ndarray], patterns: list[Pattern], outputs: np.ndarray) -> np.ndarray:
        """(s, n, d) on the dimensions of the run; NaN of a sample without any block."""
        features, axes = self.weighed.features, self.weighed.axes
        x = features.transform(np.concatenate([values[name] for name in self.names], axis=1)).astype(float)
        present = np.array([[name in pattern for name in self.names] for pattern in patterns])
        x = np.where(present[:, axes.of_feature] & ~np.isnan(x), x, 0.0)  # a gap is the training mean
        found = axes.encode(x, present)
        found[~present.any(axis=1)] = np.nan
        return self.weighed.dimensions.latents(found, outputs @ column_means(Outputs.of(self.tasks)))
