"""``latents.encode``: the user's own command, once for every fold and once for everybody."""

import shlex
import subprocess
import tempfile
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from mtlbio.cohort.cohort import Cohort
from mtlbio.cohort.given.files import StoreSource, TableSource, keys_of
from mtlbio.cohort.split import train_test
from mtlbio.config import Latents
from mtlbio.errors import InputError, listing
from mtlbio.intake.annotated import is_annotated
from mtlbio.model.ensemble import FINAL
from mtlbio.progress import track

_LAST_LINES = 3


def encode_folds(options: Latents, cohort: Cohort, splits: pd.DataFrame, folder: Path) -> dict[int, np.ndarray]:
    """Fold -> (n, k) latents of *all* samples by the model that the command made without that fold's donors.

    The command finds its two files in a folder of its own and writes ``{out}``: a table (tsv, csv) with samples in rows
    and dimensions in columns, or an h5ad with one matrix in obsm. ``{train}`` holds the samples of the donors that it
    may learn from, with the labels and covariates where ``latents.files`` is h5ad (obs); ``{test}`` those of the
    others, without their labels. Every sample of both has to come back.

    Parameters
    ----------
    folder : that the command is started in: where the YAML's data lie

    Raises
    ------
    InputError
        The command fails, takes longer than ``latents.minutes``, or writes something else.
    """
    folds = [*sorted(splits["fold"].astype(int).unique().tolist()), FINAL]
    return {fold: _encoded(options, cohort, splits, fold, folder) for fold in track(folds, "encoding every fold")}


def _encoded(options: Latents, cohort: Cohort, splits: pd.DataFrame, fold: int, folder: Path) -> np.ndarray:
    everybody = np.arange(len(cohort.obs))
    train, test = (everybody, everybody[:0]) if fold == FINAL else train_test(splits, fold)
    with tempfile.TemporaryDirectory(prefix="mtlbio_encode_") as temporary:
        place = Path(temporary)
        files = {name: place / f"{name}.{options.files}" for name in ("train", "test")} | {"out": place / "out.tsv"}
        _write(cohort, train, files["train"], labels=True)
        _write(cohort, test, files["test"], labels=False)
        where = "of all donors" if fold == FINAL else f"of fold {fold}"
        command = str(options.encode)
        for name, file in files.items():
            command = command.replace(f"{{{name}}}", shlex.quote(str(file)))
        _run(command, folder, options.minutes, where)
        return _read(place, cohort.samples, where)


def _write(cohort: Cohort, rows: np.ndarray, path: Path, labels: bool) -> None:
    columns = list(cohort.obs.columns) if labels else ["donor"]
    if path.suffix == ".h5ad":
        obs, var = cohort.obs.iloc[rows][columns], pd.DataFrame(index=list(cohort.genes))
        ad.AnnData(cohort.expression[rows], obs=obs, var=var).write_h5ad(path)
    else:
        table = pd.DataFrame(cohort.expression[rows], cohort.samples[rows], list(cohort.genes))
        table.to_csv(path, sep="\t", index_label="sample_id")


def _run(command: str, folder: Path, minutes: int, where: str) -> None:
    try:
        ended = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, timeout=60 * minutes)
    except subprocess.TimeoutExpired:
        raise InputError(
            f"latents.encode: the command {where} took more than {minutes} minutes (latents.minutes)"
        ) from None
    if ended.returncode:
        said = [line for line in (ended.stderr or ended.stdout).splitlines() if line.strip()][-_LAST_LINES:]
        last = "; ".join(said) or "it said nothing"
        raise InputError(f"latents.encode: the command {where} ended with status {ended.returncode}: {last}")


def _read(place: Path, samples: np.ndarray, where: str) -> np.ndarray:
    """(samples, k) what the command wrote as ``{out}``, or as ``out.h5ad``, which some libraries insist on."""
    found = [file for file in (place / "out.tsv", place / "out.tsv.h5ad", place / "out.h5ad") if file.exists()]
    if not found:
        raise InputError(f"latents.encode: the command {where} wrote no {{out}}")
    if is_annotated(found[0]):
        keys = keys_of(str(found[0]))
        if len(keys) != 1:
            raise InputError(
                f"latents.encode: {{out}} {where}: obsm has {listing(keys) or 'nothing'}; expected one matrix"
            )
        data = StoreSource(str(found[0]), keys[0]).latents()
    else:
        try:
            data = TableSource(str(found[0]), "sample_id", list(samples)).latents()
        except InputError as error:
            raise InputError(f"latents.encode: {{out}} {where}: {str(error).partition(': ')[2]}") from None
    table = pd.DataFrame(data.dense(), data.samples, data.genes)
    missing = [sample for sample in samples if sample not in table.index]
    if missing:
        raise InputError(
            f"latents.encode: {{out}} {where}: no row for {listing(missing, 3)}; expected one for every sample of "
            f"{{train}} and {{test}}"
        )
    values = table.loc[samples].to_numpy()
    if not np.isfinite(values).all():
        raise InputError(f"latents.encode: {{out}} {where}: some values are no finite numbers")
    return values
