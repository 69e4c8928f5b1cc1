"""The trained ensemble: encoders onto canonical dimensions and linear heads on them, in numpy.

Whatever training finds is folded together: gene standardisation, axes, rotation, matching of the folds, the
supervised block. What is left per fold is an encoder from genes to dimensions (linear for the axes; linear plus a
layer of cosines for the supervised dimensions, plus gates if the sharing scheme has some, plus a deep trunk where one
was worth having) and, per task, weights and a bias on the dimensions. Prediction and probing need nothing else, so they
do not import torch.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

from mtlbio import __version__
from mtlbio.cohort.features import Features
from mtlbio.errors import InputError
from mtlbio.files import replacing
from mtlbio.labels import Label, read_label
from mtlbio.model.curves import Curves
from mtlbio.model.deep import DeepBlock
from mtlbio.model.gated import GatedBlock
from mtlbio.model.outputs import Outputs
from mtlbio.model.site_heads import SiteHeads

FINAL = -1  # the fold that holds nobody out


@dataclass(frozen=True)
class FoldModel:
    """The replicas (seeds) of one fold; p genes, k axes, s seeds, c columns, o outputs, d = k + c dimensions, m curves.

    Attributes
    ----------
    features : genes of this fold and their standardisation
    axes : (p, k) encoder of the axes, the same for every seed
    axes_mean : (k,) subtracted after encoding, so that the training mean is 0
    block : (s, p, c) linear part of the encoder of the supervised dimensions
    block_mean : (s, c)
    own_axes, frequencies, phase, curve_mean : (p, k'), (k', m), (m,), (m,) nonlinear features of the fold's own axes
    curved : (s, m, c) what the supervised dimensions take from those
    weights : (s, d, c) heads
    bias : (s, o)
    target_mean, target_scale : (tasks,) by which the training donors' labels became targets; 0 and 1 where they are
    gated : what the supervised dimensions take through gates; None where the sharing scheme has none
    sites : heads at each site of the ensemble, in place of the shared ones; None where heads know no site
    deep : what the supervised dimensions take from a deep trunk; None where they take nothing
    """

    features: Features
    axes: np.ndarray
    axes_mean: np.ndarray
    block: np.ndarray
    block_mean: np.ndarray
    own_axes: np.ndarray
    frequencies: np.ndarray
    phase: np.ndarray
    curve_mean: np.ndarray
    curved: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    target_mean: np.ndarray
    target_scale: np.ndarray
    gated: GatedBlock | None = None
    sites: SiteHeads | None = None
    deep: DeepBlock | None = None

    def latents(self, standardised: np.ndarray) -> np.ndarray:
        """(s, n, d) dimensions of every replica for standardised genes (n, p)."""
        axes = standardised @ self.axes - self.axes_mean
        curves = Curves(self.frequencies, self.phase, self.curve_mean).transform(standardised @ self.own_axes)
        block = np.einsum("np,spc->snc", standardised, self.block, optimize=True) - self.block_mean[:, None]
        block = block + np.einsum("nm,smc->snc", curves, self.curved, optimize=True)
        if self.gated:
            block = block + self.gated.values(standardised, curves)
        if self.deep:
            block = block + self.deep.values(standardised)
        return np.concatenate([np.broadcast_to(axes, (len(block), *axes.shape)), block], axis=2)


@dataclass(frozen=True)
class Ensemble:
    """All folds of the multi-task arm.

    Attributes
    ----------
    models : by fold held out; ``FINAL`` is trained on all donors
    tasks : by name
    genes : of the cohort, the columns that ``latents`` expects
    dims : names of the dimensions
    seeds : of the replicas of each fold
    site_column, sites : covariate and its levels that heads know (``training.sites``); "" and none where they do not
    """

    models: dict[int, FoldModel]
    tasks: dict[str, Label]
    genes: tuple[str, ...]
    dims: tuple[str, ...]
    seeds: tuple[int, ...]
    site_column: str = ""
    sites: tuple[str, ...] = ()

    @property
    def folds(self) -> list[int]:
        """Folds held out, without the final one."""
        return sorted(f for f in self.models if f != FINAL)

    def latents(self, expression: np.ndarray, fold: int = FINAL) -> np.ndarray:
        """Canonical dimensions of every replica of a fold: (seeds, n, dims) for expression (n, genes)."""
        model = self.models[fold]
        return model.latents(model.features.transform(expression))

    def head(self, task: str, fold: int = FINAL) -> tuple[np.ndarray, np.ndarray]:
        """Weights (seeds, dims, columns) and bias (seeds, outputs) of a task's head."""
        model, packing, t = self.models[fold], Outputs.of(self.tasks), list(self.tasks).index(task)
        return model.weights[:, :, packing.columns[t]], model.bias[:, packing.outputs[t]]

    def at(self, sites: npt.ArrayLike) -> np.ndarray:
        """(n,) places of sites (n,) among those that heads know, -1 for others."""
        places = {name: place for place, name in enumerate(self.sites)}
        return np.array([places.get(str(site), -1) for site in np.asarray(sites, dtype=object)], dtype=int)

    def outputs(self, latents: np.ndarray, fold: int = FINAL) -> np.ndarray:
        """(seeds, n, outputs) of all tasks from latents (seeds, n, dims), by the heads that sites share: logits, and
        values in the units of the fold's targets."""
        model = self.models[fold]
        return latents @ model.weights @ Outputs.of(self.tasks).expand + model.bias[:, None]

    def predict_from_latents(
        self, task: str, latents: np.ndarray, fold: int = FINAL, at: np.ndarray | None = None
    ) -> np.ndarray:
        """Predictions of every replica from its own latents (seeds, n, dims): (seeds, n) probability or value in the
        task's units, (seeds, n, K) class probabilities (multiclass, ordinal).

        ``at``: (n,) as :meth:`at` gives it; where it is left out, and where it is -1, the heads that sites share
        predict."""
        model, packing, t = self.models[fold], Outputs.of(self.tasks), list(self.tasks).index(task)
        weights, bias = self.head(task, fold)
        expand = packing.expand[packing.columns[t], packing.outputs[t]]
        outputs = latents @ weights @ expand + bias[:, None]
        if at is not None and model.sites is not None:
            outputs = model.sites.outputs(latents, at, packing, t, outputs)
        return self.tasks[task].to_prediction(outputs, model.target_mean[t], model.target_scale[t])

    def predict(self, task: str, expression: np.ndarray, fold: int = FINAL, at: np.ndarray | None = None) -> np.ndarray:
        """Predictions of every replica for expression (n, genes), as of :meth:`predict_from_latents`."""
        return self.predict_from_latents(task, self.latents(expression, fold), fold, at)


_REFERENCE = "reference.safetensors"
_ARRAYS = tuple(field.name for field in fields(FoldModel) if field.name not in ("features", "gated", "sites", "deep"))


def save_ensemble(
    ensemble: Ensemble,
    directory: str | Path,
    description: dict,
    reference: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Write ``weights.safetensors`` and ``model.json`` (tasks, genes, dimensions, and ``description``); with what is
    kept of the training samples ``reference.safetensors`` too, arrays by name."""
    with replacing(directory) as temporary:
        write_ensemble(ensemble, temporary, description, reference)


def write_ensemble(
    ensemble: Ensemble, directory: Path, description: dict, reference: Mapping[str, np.ndarray] | None = None
) -> None:
    """The same into a folder that is made here, as part of one that is still being written."""
    arrays: dict[str, np.ndarray] = {}
    squash = None
    for fold, model in ensemble.models.items():
        for name in _ARRAYS:
            arrays[f"{fold}/{name}"] = np.ascontiguousarray(getattr(model, name), dtype=np.float32)
        if model.gated:
            arrays |= model.gated.arrays(f"{fold}/gated")
            squash = model.gated.dense.squash
        if model.sites:
            arrays |= model.sites.arrays(f"{fold}/sites")
        if model.deep:
            arrays |= model.deep.arrays(f"{fold}/deep")
            squash = model.deep.squash
        arrays[f"{fold}/genes_idx"] = model.features.genes_idx.astype(np.int64)
        arrays[f"{fold}/mean"] = model.features.mean.astype(np.float64)
        arrays[f"{fold}/scale"] = model.features.scale.astype(np.float64)
    content = {
        "mtlbio": __version__,
        "folds": list(ensemble.models),
        "tasks": [task.saved() for task in ensemble.tasks.values()],
        "dims": ensemble.dims,
        "seeds": ensemble.seeds,
        **({"squash": squash} if squash else {}),
        **({"sites": {"by": ensemble.site_column, "names": ensemble.sites}} if ensemble.sites else {}),
        **description,
        "genes": ensemble.genes,
    }
    directory.mkdir(parents=True)
    save_file(arrays, directory / "weights.safetensors")
    if reference:
        save_file({name: np.ascontiguousarray(array) for name, array in reference.items()}, directory / _REFERENCE)
    (directory / "model.json").write_text(json.dumps(content, indent=1), encoding="utf-8")


def load_ensemble(directory: str | Path) -> Ensemble:
    """Read what :func:`save_ensemble` wrote; errors as of :func:`model_description`."""
    directory = Path(directory)
    description = model_description(directory)
    arrays, squash = load_file(directory / "weights.safetensors"), description.get("squash")
    sites = description.get("sites", {"by": "", "names": ()})
    models = {
        fold: FoldModel(
            Features(arrays[f"{fold}/genes_idx"], arrays[f"{fold}/mean"], arrays[f"{fold}/scale"]),
            **{name: arrays[f"{fold}/{name}"] for name in _ARRAYS},
            gated=GatedBlock.read(arrays, f"{fold}/gated", squash) if squash else None,
            sites=SiteHeads.read(arrays, f"{fold}/sites") if sites["names"] else None,
            deep=DeepBlock.read(arrays, f"{fold}/deep", squash),
        )
        for fold in description["folds"]
    }
    tasks = {t["name"]: read_label(t) for t in description["tasks"]}
    genes, dims, seeds = (tuple(description[key]) for key in ("genes", "dims", "seeds"))
    return Ensemble(models, tasks, genes, dims, seeds, sites["by"], tuple(sites["names"]))


def load_reference(directory: str | Path) -> dict[str, np.ndarray]:
    """What a model keeps of its training samples; nothing where it was saved without."""
    path = Path(directory) / _REFERENCE
    return load_file(path) if path.is_file() else {}


def model_description(directory: str | Path) -> dict:
    """What ``model.json`` says.

    Raises
    ------
    InputError
        The folder holds no trained model.
    """
    directory = Path(directory)
    for name in ("model.json", "weights.safetensors"):
        if not (directory / name).is_file():
            raise InputError(f"{directory}: no trained model ({name} missing); `mtlbio train` writes one")
    return json.loads((directory / "model.json").read_text(encoding="utf-8"))


def trained_with(directory: str | Path) -> dict:
    """The options of the training of a model of any kind, which is there (``model.json``)."""
    return json.loads((Path(directory) / "model.json").read_text(encoding="utf-8"))["training"]
