"""What a training in memory gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd

from mtlbio import tables
from mtlbio.cohort.cohort import read_cohort, read_latents
from mtlbio.cohort.metadata import text_table
from mtlbio.files import replacing
from mtlbio.integrity.step import words_of
from mtlbio.kinds.schemas import CohortRun
from mtlbio.notebook.memory import named
from mtlbio.notebook.result import TrialResult
from mtlbio.notebook.stored import files_in, write_files
from mtlbio.probing.examine import TABLES


@dataclass(frozen=True, repr=False)
class TrainResult(TrialResult):
    """Verdicts of a model that was trained in memory, its predictions and their metrics, and the model.

    Attributes
    ----------
    predictions : ``predictions.tsv``, of held-out samples by the networks
    metrics : ``metrics.tsv``, of networks and baselines
    files : the folder of the run as ``mtlbio run`` leaves it: path below it -> content
    """

    run: CohortRun  # type: ignore[assignment]
    predictions: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    metrics: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, run: CohortRun, folder: Path) -> "TrainResult":
        """Of a folder in which all steps of a run were taken."""
        read = tables.read_table
        found = {name: folder / "probing" / f"{name}.tsv" for name in (*TABLES, "composition", "sites", "replicas")}
        found["verdicts"] = folder / "verdicts.tsv"
        qc = read(folder / "qc.tsv", tables.QC)
        return cls(
            run,
            read_cohort(folder / "cohort.h5ad"),
            read(folder / "splits.tsv", tables.SPLITS),
            read_latents(folder / "latents.h5ad"),
            {name: read(path) for name, path in found.items() if path.exists()},
            qc,
            qc.loc[qc["kind"] == "note", "detail"].astype(str).tolist(),
            predictions=read(folder / "predictions.tsv", tables.PREDICTIONS),
            metrics=read(folder / "metrics.tsv", tables.METRICS),
            files=files_in(folder),
        )

    def save(self, folder: str | Path) -> Path:
        """Write all that a run of the command line leaves, the model too; gives the folder's path.

        An InputError where the folder holds something else.
        """
        return write_files(self.files, Path(folder), words_of(self.run))

    def report(self, path: str | Path) -> Path:
        """Draw the page; nothing else is left behind. Gives its path."""
        if "report.html" not in self.files:
            return super().report(path)
        with replacing(path) as temporary:  # it was drawn when the run's folder was written
            temporary.write_bytes(self.files["report.html"])
        return Path(path)

    def latents_of(self, obs: pd.DataFrame) -> np.ndarray:
        """(rows of ``obs``, dimensions) held-out latents; NaN in rows of samples that were dropped.

        Single cells have those of the sample that they are part of.
        """
        names = named(obs).index
        if self.run.pseudobulk is not None:
            parts = text_table(obs, [self.run.metadata.donor, *self.run.pseudobulk.by]).fillna("")
            names = pd.Index(parts.agg("|".join, axis=1))
        return _rows(np.asarray(self.latents.X, dtype=np.float64), self.latents.obs_names, names)

    def loadings_of(self, genes) -> np.ndarray:
        """(genes, dimensions) loadings of the genes of these names; NaN for those that the model does not use."""
        loadings = np.asarray(self.latents.varm["loadings"], dtype=np.float64).T
        used = (loadings != 0).any(axis=1)
        return _rows(loadings[used], pd.Index(np.asarray(self.latents.uns["genes"]).astype(str)[used]), pd.Index(genes))


def _rows(values: np.ndarray, names: pd.Index, wanted: pd.Index) -> np.ndarray:
    """Rows of ``values`` by name, NaN where there is none."""
    place = names.astype(str).get_indexer(wanted.astype(str))
    return np.where((place >= 0)[:, None], values[place], np.nan)


def leave_in(adata: ad.AnnData, result: TrainResult, genes: np.ndarray) -> None:
    """``obsm["X_mtlbio"]``, ``varm["mtlbio"]`` and ``uns["mtlbio"]`` of the AnnData that was trained on.

    ``genes``: (n_vars,) names under which its genes were read.
    """
    import yaml

    from mtlbio import __version__

    adata.obsm["X_mtlbio"] = result.latents_of(adata.obs)
    if len(genes) == adata.n_vars:  # those of raw.X may be others
        adata.varm["mtlbio"] = result.loadings_of(genes)
    said = result.run.model_dump(mode="json", exclude_unset=True)
    adata.uns["mtlbio"] = {
        "dims": np.asarray(result.latents.var_names).astype(str),
        "verdicts": storable(result.verdicts.set_index("dim")),
        "metrics": storable(result.metrics),
        "run": yaml.safe_dump(said, sort_keys=False, allow_unicode=True),
        "version": __version__,
    }


def storable(table: pd.DataFrame) -> pd.DataFrame:
    """A table that h5ad can hold: numbers stay numbers, all else is a category, and what is missing stays missing."""
    out = pd.DataFrame(index=table.index.astype(str))
    for name, column in table.items():
        plain: Any = column.to_numpy()
        if column.isna().all():
            plain = np.full(len(column), np.nan)
        elif not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            plain = pd.Categorical(column.map(str, na_action="ignore"))
        out[str(name)] = plain
    return out
