"""What is done with a finished run: new samples are predicted, and tasks are added."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mtlbio.door.base import kinds_with, table_at
from mtlbio.errors import InputError, listing
from mtlbio.files import noting_written
from mtlbio.integrity.folder import check_claim, mark
from mtlbio.integrity.predictions import check_own, record_predictions
from mtlbio.integrity.step import checked
from mtlbio.kinds import KINDS
from mtlbio.kinds.base import function_at
from mtlbio.kinds.schemas.run import Run
from mtlbio.kinds.stored import kind_of_model
from mtlbio.reading import file_of
from mtlbio.threads import one_thread

if TYPE_CHECKING:
    from pandas import DataFrame


def predict(
    run: Run,
    new: str | Path,
    results: str | Path | None = None,
    out: str | Path | None = None,
    *,
    standardise: str = "training",
    sites: str | Path | None = None,
    profiles: str | Path | None = None,
    embeddings: str | Path | None = None,
    anyway: bool = False,
    tasks: str | None = None,
    force: bool = False,
) -> DataFrame:
    """Predict the tasks of new samples with the final ensemble.

    Gives ``predictions.tsv``: a row per sample and task; of proteins per residue. An InputError where there is no
    model, where new samples do not fit it, where somebody has changed what would be written over, and for an option of
    another kind of run.

    Parameters
    ----------
    run : whose model predicts
    new : file of the new samples, in the format of the run's own; of proteins FASTA, of blocks a MuData or a YAML
        with ``blocks``: name -> path
    results : folder of the trained run
    out : folder that is written; ``<results>/predict/<file name>`` where left out
    standardise : of cohorts: ``training`` by the training cohort's means, ``cohort`` by the new samples' own
    sites : of cohorts and tables whose heads know sites (``training.sites``): table of the new samples' sites
    profiles, embeddings : of the new chains, where a model of proteins reads them
    anyway : of cohorts and tables: predict also what is refused as another scale or for too few genes
    tasks : of cohorts and tables: names of tasks, with commas between, also of added ones (docs/add_task.md); all
        of the run's own where left out
    force : write over earlier predictions that somebody has changed

    Examples
    --------
    >>> run = mtlbio.read_run("planted/run.yaml")
    >>> new = mtlbio.predict(run, "planted/expression.parquet")
    >>> new["sample"].nunique(), sorted(new["task"].unique())
    (48, ['age', 'disease', 'response'])
    """
    given = {"profiles": profiles, "embeddings": embeddings, "sites": sites}
    files = {name: Path(file) if file else None for name, file in given.items()}
    options = {"standardise": standardise, "anyway": anyway or None, "tasks": tasks, **files}
    folder = apply(Path(results or Path("results") / run.run), Path(new), Path(out) if out else None, options, force)
    return table_at(folder / "predictions.tsv")


def apply(
    results: Path, new: Path, out: Path | None, options: Mapping[str, str | Path | bool | None], force: bool = False
) -> Path:
    """Predict new samples with the model in ``results``; gives the folder written."""
    if options["standardise"] not in ("training", "cohort"):
        raise InputError(f"--standardise: found {options['standardise']!r}; valid: training, cohort")
    if not file_of(new)[0].exists():
        raise InputError(f"{new}: no such file; expected the measurements (or sequences) of the new samples")
    _check_trained(results)
    target, holds = out or results / "predict" / file_of(new)[0].name.split(".")[0], "predictions of new samples"
    check_claim(target, holds)
    replaced = "" if force else check_own(target, new)
    kind = kind_of_model(results / "model")
    foreign = [k for k, value in options.items() if value not in (None, "training") and k not in kind.predict_options]
    if "predict" not in kind.commands:
        raise InputError(f"{results}: a model of kind {kind.name}, of which mtlbio predict knows nothing")
    if foreign:
        valid = [k.name for k in KINDS.values() if foreign[0] in k.predict_options]
        raise InputError(f"--{foreign[0]}: only for runs of kind {listing(valid)}; this one is a {kind.name}")
    function = function_at(kind.commands["predict"])
    with one_thread(), noting_written() as written:
        function(results, new, target, *(options[key] for key in kind.predict_options))
    if replaced:
        from mtlbio.progress import say

        say(replaced)
    return record_predictions(mark(target, holds), written, new)


def add_task(results: Path, labels: Path, name: str, kind: str, column: str | None, keys: Mapping[str, object]) -> str:
    """A head for a new task on the trunk of the model in ``results``; gives the answer in a sentence."""
    if not file_of(labels)[0].exists():
        raise InputError(f"{labels}: no such file; expected a table with samples or donors of the run and a label")
    _check_trained(results)
    of_run = kind_of_model(results / "model")
    if "add_task" not in of_run.commands:
        valid = listing(kinds_with("add_task"))
        raise InputError(f"{results}: a run of kind {of_run.name}; mtlbio add-task is for runs of kind {valid}")
    with one_thread():
        return function_at(of_run.commands["add_task"])(results, labels, name, kind, column, dict(keys))


def _check_trained(results: Path) -> None:
    """Refuse a folder without a trained model, or whose model is not as it was written: before a word of it is read."""
    if not (results / "model").is_dir():
        raise InputError(f"{results}: no trained model in it; expected the folder of a finished run, results/<run>")
    checked(results, ("train",))
