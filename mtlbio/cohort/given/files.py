"""Latents in a file: obsm of AnnData or MuData, or a table with samples in rows."""

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd
from anndata.io import read_elem

from mtlbio.cohort.cells.frames import as_names, frame_of, index_of
from mtlbio.cohort.cells.h5ad import EXPECTED, h5ad_obs
from mtlbio.cohort.cells.modality import chosen, modalities
from mtlbio.cohort.cells.stored import check_claims
from mtlbio.cohort.cells.stores import Group, is_group, opened_store
from mtlbio.cohort.expression import read_expression
from mtlbio.cohort.given.source import Source, matrix_and_names
from mtlbio.cohort.measurements import Measurements
from mtlbio.config import Expression, Latents
from mtlbio.errors import InputError, listing
from mtlbio.intake.annotated import is_annotated
from mtlbio.reading import understood
from mtlbio.text import suggestion


def source_of(options: Latents, sample_column: str, described: Collection[str] | None = None) -> Source:
    """The source that a run names; an InputError where its keys do not go with its format.

    ``sample_column``: of the identifiers in a table; ``described``: identifiers of the metadata.
    """
    path = str(options.path)
    if is_annotated(path):
        if options.key is None:
            there = listing(keys_of(path, options.modality)) or "nothing"
            raise InputError(f"{path}: latents.key: missing; obsm has {there}")
        return StoreSource(path, options.key, options.modality)
    for key in ("key", "modality", "genes"):
        if getattr(options, key) is not None:
            raise InputError(
                f"{path}: latents.{key}: {getattr(options, key)!r} given, but only h5ad, zarr and h5mu have it"
            )
    return TableSource(path, sample_column, described)


def keys_of(path: str, modality: str | None = None) -> list[str]:
    """Names of the matrices in obsm of a file, or of a modality in it."""
    with opened_store(path, EXPECTED) as root:
        return _matrices(_place(root, modality, path), "obsm")


class TableSource(Source):
    """A table with samples in rows and dimensions in columns."""

    def __init__(self, path: str, sample_column: str, described: Collection[str] | None):
        self.path, self.sample_column, self.described = path, sample_column, described

    def latents(self) -> Measurements:
        """Read by the one tolerant reader of tables."""
        table = Expression(path=self.path, scale="z", format="table")
        return read_expression(table, self.sample_column, self.described)


class StoreSource(Source):
    """A matrix of obsm of an AnnData, a MuData or one of its modalities."""

    def __init__(self, path: str, key: str, modality: str | None = None):
        self.path, self.key, self.modality = path, key, modality

    def latents(self) -> Measurements:
        """The matrix, with its columns' names where it is a table."""
        with opened_store(self.path, EXPECTED) as root:
            place = _place(root, self.modality, self.path)
            there = _matrices(place, "obsm")
            if self.key not in there:
                raise InputError(f"{self.path}: latents.key: no {self.key!r} in obsm; {suggestion(self.key, there)}")
            stored, samples = place["obsm"][self.key], self._samples(root)
            values, dims = self._matrix(stored, f"{self.path}: obsm[{self.key!r}]")
        if len(values) != len(samples):
            raise InputError(
                f"{self.path}: obsm[{self.key!r}] has {len(values)} rows; obs has {len(samples)} samples or cells"
            )
        return Measurements(samples, dims, values, f"{self.path}: obsm[{self.key!r}]")

    def obs(self) -> pd.DataFrame:
        """Of the modality, or of the whole."""
        with opened_store(self.path, EXPECTED) as root:
            if not modalities(root) or self.modality is not None:
                return h5ad_obs(self.path, self.modality)
            table = frame_of(root, "obs", Path(self.path))
            return table.set_axis(pd.Index(as_names(table.index), name="sample", dtype=object), axis=0)

    @property
    def names_of_loadings(self) -> list[str]:
        """Matrices of varm."""
        with opened_store(self.path, EXPECTED) as root:
            return _matrices(_place(root, self.modality, self.path), "varm")

    def loadings(self, name: str, genes: str | None) -> tuple[np.ndarray, np.ndarray]:
        """A matrix of varm and the names of var."""
        path = Path(self.path)
        with opened_store(path, EXPECTED) as root:
            place = _place(root, self.modality, self.path)
            weights, _ = self._matrix(place["varm"][name], f"{path}: varm[{name!r}]")
            if genes is None:
                return weights, np.asarray(index_of(place, "var", path)).astype(str)
            var = frame_of(place, "var", path)
        if genes not in var:
            raise InputError(f"{path}: latents.genes: no column {genes!r} in var; {suggestion(genes, var.columns)}")
        return weights, var[genes].astype(str).to_numpy()

    def _samples(self, root: Group) -> np.ndarray:
        place = _place(root, self.modality, self.path)
        return np.char.strip(np.asarray(index_of(place, "obs", Path(self.path))).astype(str))

    def _matrix(self, stored, where: str) -> tuple[np.ndarray, np.ndarray]:
        check_claims(stored, Path(self.path))
        with understood(self.path, f"an h5ad file whose {where.partition(': ')[2]} is a matrix"):
            found = read_elem(stored)
        return matrix_and_names(found, where)


def _place(root: Group, modality: str | None, path: str) -> Group:
    """The group whose obsm is meant: the file's own, also of a MuData, or that of a modality."""
    return chosen(root, modality, Path(path)) if modality is not None else root


def _matrices(place: Group, slot: str) -> list[str]:
    found = place.get(slot)
    return [str(name) for name in found] if is_group(found) else []
