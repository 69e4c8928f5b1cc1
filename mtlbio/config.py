"""The run description: the only module that knows the YAML.

``load_run`` reads one file, checks it and returns a :class:`Run`. Every key of every class below is a
key of the YAML; its ``description`` is the text of ``config/README.md`` and of the JSON schema.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mtlbio.errors import InputError, listing
from mtlbio.keys import explain
from mtlbio.reference import INTRODUCTION, markdown
from mtlbio.strict_yaml import read_yaml

Fraction = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]


class Section(BaseModel):
    """A part of the YAML: unknown keys are errors, text is never taken for a number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Expression(Section):
    """Where the measurements are and on which scale."""

    path: str = Field(
        description="h5ad, csv/tsv (.gz), parquet, a 10x/mtx folder or 10x h5; samples in rows, genes in columns"
    )
    scale: Literal["counts", "log", "log2", "beta", "z"] = Field(
        description="counts are normalised and log-transformed; log, log2 and z are used as they are; "
        "beta (methylation, 0-1) becomes M values"
    )
    layer: str | None = Field(None, description="h5ad only: the layer to use instead of X")


class Metadata(Section):
    """Where the description of the samples is."""

    path: str | None = Field(
        None, description="csv/tsv (.gz) or parquet; may be left out for an h5ad whose obs describes the samples"
    )
    sample: str = Field(
        "sample_id", description="column with the sample identifier; for h5ad with its own obs: the index"
    )
    donor: str = Field("donor_id", description="column with the donor identifier: the unit of every test")


class Pseudobulk(Section):
    """Single cells become donor-level samples."""

    by: list[str] = Field(
        [], description="metadata columns besides the donor that make a sample, e.g. condition, cell_type"
    )
    min_cells: int = Field(10, ge=1, description="samples of fewer cells are dropped and listed in qc.tsv")


class Task(Section):
    """A label to be predicted."""

    kind: Literal["binary", "multiclass", "regression", "ordinal"] = Field(description="what kind of label")
    column: str | None = Field(None, description="metadata column; the task's own name where left out")
    positive: str | int | float | bool | None = Field(None, description="binary: the value that counts as 1; required")
    negative: str | int | float | bool | None = Field(
        None,
        description="binary: the value that counts as 0; where given, other values count as missing, "
        "where left out, all of them count as 0",
    )
    classes: list[str | int | float | bool] | None = Field(
        None,
        description="multiclass: the classes; ordinal: the levels from low to high; values outside count as missing",
    )


class Covariate(Section):
    """Something that is known about a sample and must be controlled for."""

    role: Literal["confounder", "technical"] = Field(
        description="confounder: upstream of the disease (age, sex, site); technical: processing (plate, chip, run)"
    )
    kind: Literal["categorical", "continuous"] = Field("categorical", description="factors stay factors")
    column: str | None = Field(None, description="metadata column; the covariate's own name where left out")


class Qc(Section):
    """What is dropped before anything is learnt."""

    min_genes: int = Field(0, ge=0, description="counts only: samples with fewer genes detected are dropped")
    min_samples: int = Field(
        3, ge=0, description="genes detected in fewer samples are dropped (counts), constant genes always"
    )


class Splits(Section):
    """Who is held out."""

    kind: Literal["donor", "leave_out"] = Field(
        "donor", description="donor: stratified folds of donors; leave_out: each level of `by` is held out in turn"
    )
    folds: Annotated[int, Field(ge=2)] | None = Field(
        None,
        description="number of folds; where left out, 5 of donors (kind donor) or one for each level (kind leave_out), "
        "which many small levels (chips) make too many: whole levels then share a fold",
    )
    by: str | None = Field(None, description="kind leave_out: the categorical covariate whose levels are held out")
    seed: int = Field(0, ge=0, description="seed of the fold assignment")


class Training(Section):
    """The network and how it is fitted."""

    genes: int = Field(5000, ge=10, description="most variable genes used, chosen on the training donors of each fold")
    axes: Literal["auto"] | Annotated[int, Field(ge=1)] = Field(
        "auto", description="number of gene-sparse axes; auto: parallel analysis on the training donors"
    )
    max_axes: int = Field(60, ge=1, description="upper bound of the automatic number of axes")
    sparsity: float = Field(
        3.0, ge=0, description="penalty on the gene loadings of the axes, in standard errors of a loading"
    )
    block: int = Field(
        8,
        ge=1,
        description="width of the supervised block, the trunk that all tasks share; it carries what the axes miss",
    )
    curves: int = Field(500, ge=1, description="nonlinear features of the axes that the block may use")
    seeds: int = Field(5, ge=1, description="replicas per fold and arm, each with its own inner validation donors")
    epochs: int = Field(400, ge=10, description="upper bound; early stopping decides, per task")
    patience: int = Field(40, ge=1, description="epochs without improvement before a task stops")
    learning_rate: float = Field(
        0.3, gt=0, le=2, description="step of the trunk, in units of the inverse curvature of its strongest direction"
    )
    single_task: bool = Field(True, description="train the matched single-task arm too")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto: a GPU where there is one")
    seed: int = Field(0, ge=0, description="first seed of the replicas")


class Baselines(Section):
    """What the network has to beat."""

    arms: list[Literal["ridge", "elasticnet", "lightgbm", "pca_linear", "covariates"]] = Field(
        ["ridge", "elasticnet", "lightgbm", "pca_linear", "covariates"], description="which baselines are fitted"
    )
    seed: int = Field(0, ge=0, description="seed of the inner folds and of LightGBM")


class Evaluate(Section):
    """Intervals and calls."""

    bootstrap: int = Field(1000, ge=100, description="donor bootstrap draws")
    margin: float = Field(
        0.02, gt=0, description="no_worse: the interval of the difference stays above minus this margin"
    )
    seed: int = Field(0, ge=0, description="seed of the bootstrap")


class Probe(Section):
    """The trial of every dimension."""

    alpha: float = Field(0.05, gt=0, lt=0.5, description="false discovery rate and test level")
    margin: float = Field(0.02, gt=0, description="harmless: the loss of the metric stays below this margin")
    permutations: int = Field(999, ge=99, description="Freedman-Lane permutations within batch")
    bootstrap: int = Field(1000, ge=100, description="donor bootstrap draws")
    spline_df: int = Field(4, ge=1, description="degrees of freedom of the spline of a continuous covariate")
    share_dominant: Fraction = Field(0.6, description="partial R2 from which a covariate dominates a dimension")
    share_technical: Fraction = Field(0.2, description="technical partial R2 that a biology verdict may not reach")
    min_discordant: int = Field(5, ge=1, description="fewer discordant donors: task and batch are not identifiable")
    max_vif: float = Field(4.0, gt=1, description="variance inflation of the task from which it is not identifiable")
    seed: int = Field(0, ge=0, description="seed of permutations and bootstrap")
    null_refits: int = Field(
        0,
        ge=0,
        description="whole-pipeline null: so many times the outcomes are permuted between donors, the network is "
        "trained again and every dimension put on trial (199 reach p = .005; can take hours); 0: not done",
    )


class Report(Section):
    """The page."""

    title: str | None = Field(None, description="heading of the page; the run's name where left out")
    cards: int = Field(6, ge=1, description="dimensions shown as cards on the first screen")


class Run(Section):
    """One run: a cohort, its tasks, its covariates and the options of every step."""

    run: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] = Field(
        description="name; results go to `results/<run>`"
    )
    expression: Expression
    metadata: Metadata = Metadata()
    pseudobulk: Pseudobulk | None = Field(None, description="only for single-cell input")
    tasks: dict[Name, Task] = Field(min_length=1, description="labels to be predicted, by name")
    covariates: dict[Name, Covariate] = Field({}, description="what to control for, by name")
    gene_sets: str | None = Field(
        None, description="GMT file, or `builtin` for the small marker sets that ship with mtlbio"
    )
    qc: Qc = Qc()
    splits: Splits = Splits()
    training: Training = Training()
    baselines: Baselines = Baselines()
    evaluate: Evaluate = Evaluate()
    probe: Probe = Probe()
    report: Report = Report()

    @model_validator(mode="after")
    def _names_agree(self) -> Run:
        for name, task in self.tasks.items():
            if task.kind == "binary" and task.positive is None:
                raise ValueError(f"tasks.{name}.positive: a binary task needs the value that counts as 1")
            if task.kind != "binary" and (task.positive is not None or task.negative is not None):
                raise ValueError(f"tasks.{name}.positive: only a binary task has positive and negative values")
            if task.kind == "ordinal" and not task.classes:
                raise ValueError(f"tasks.{name}.classes: an ordinal task needs its levels from low to high")
            if task.kind in ("binary", "regression") and task.classes:
                raise ValueError(f"tasks.{name}.classes: only multiclass and ordinal tasks have classes")
            if task.classes and len(set(map(str, task.classes))) != len(task.classes):
                raise ValueError(f"tasks.{name}.classes: a class is listed twice")
            if task.negative is not None and str(task.negative) == str(task.positive):
                raise ValueError(f"tasks.{name}.negative: {task.negative!r} is the positive value too")
            twin = self.covariates.get(name)
            if twin and self.task_column(name) != self.covariate_column(name):
                raise ValueError(
                    f"tasks.{name} and covariates.{name} read different columns "
                    f"({self.task_column(name)}, {self.covariate_column(name)}): give one of them another name"
                )
        for key, name in self._entries():
            if name in ("sample", "donor", "fold"):
                raise ValueError(f"{key}: the name is reserved (sample, donor, fold); give it another name")
            column = self._column(key, name)
            if column in (self.metadata.sample, self.metadata.donor):
                raise ValueError(f"{key}: column {column!r} is the identifier of samples or donors, not a label")
        for name in self.covariates:
            others = [k for k, n in self._entries() if n != name and self._column(k, n) == self.covariate_column(name)]
            if others:
                raise ValueError(
                    f"covariates.{name}: column {self.covariate_column(name)!r} is read by {others[0]} too: "
                    f"give both the same name"
                )
        if self.splits.kind == "leave_out":
            found = self.covariates.get(self.splits.by or "")
            if found is None or found.kind != "categorical":
                valid = [n for n, c in self.covariates.items() if c.kind == "categorical"]
                raise ValueError(
                    f"splits.by: leave_out needs a categorical covariate, "
                    f"found {self.splits.by!r}; valid: {listing(valid)}"
                )
        elif self.splits.by is not None:
            raise ValueError("splits.by: only used with splits.kind leave_out")
        return self

    def _entries(self) -> list[tuple[str, str]]:
        return [(f"tasks.{n}", n) for n in self.tasks] + [(f"covariates.{n}", n) for n in self.covariates]

    def _column(self, key: str, name: str) -> str:
        return self.task_column(name) if key.startswith("tasks.") else self.covariate_column(name)

    def task_column(self, name: str) -> str:
        """Metadata column of a task."""
        return self.tasks[name].column or name

    def covariate_column(self, name: str) -> str:
        """Metadata column of a covariate."""
        return self.covariates[name].column or name


# Which keys each step depends on beyond the files it reads: a changed key reruns these steps and what follows.
STEP_KEYS = {
    "prepare": ("expression", "metadata", "pseudobulk", "tasks", "covariates", "qc", "splits"),
    "train": ("training",),
    "baselines": ("baselines", "training.genes"),
    "evaluate": ("evaluate",),
    "probe": ("probe", "gene_sets"),
    "report": ("run", "report"),
}


def step_options(run: Run, step: str) -> str:
    """JSON text of the keys that ``step`` depends on: the parameter that makes Snakemake rerun it."""
    whole = run.model_dump(mode="json")

    def pick(key: str):
        value = whole
        for part in key.split("."):
            value = value[part]
        return value

    return json.dumps({key: pick(key) for key in STEP_KEYS[step]}, sort_keys=True)


def load_run(path: str | Path) -> Run:
    """Read and check a run's YAML.

    Paths in it are relative to the YAML and come back absolute. Files are checked for existence only; their
    content is the business of ``mtlbio prepare``.

    Raises
    ------
    InputError
        One line: the file, the key, what was found and what is valid.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file; a run is described by a YAML file (see config/README.md)")
    content = read_yaml(path)
    if not isinstance(content, dict):
        found = "an empty file" if content is None else type(content).__name__
        raise InputError(f"{path}: expected keys such as run, expression, tasks; found {found}")
    try:
        run = Run.model_validate(content)
    except ValidationError as error:
        raise InputError(f"{path}: {explain(error, Run)}") from None
    return _absolute(run, path)


def config_reference() -> str:
    """``config/README.md``: how a run is written, and every key of it."""
    return INTRODUCTION + markdown(Run)


def json_schema() -> dict:
    """JSON schema of a run's YAML (``workflow/schemas/run.schema.json``), for editors and for Snakemake."""
    schema = Run.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def generated_files() -> dict[str, str]:
    """Files of the repository that follow from the model, by path; ``python -m mtlbio.config`` writes them."""
    return {
        "config/README.md": config_reference(),
        "workflow/schemas/run.schema.json": json.dumps(json_schema(), indent=2) + "\n",
    }


def _absolute(run: Run, source: Path) -> Run:
    folder = source.resolve().parent

    def resolved(key: str, value: str) -> str:
        found = (folder / Path(value).expanduser()).resolve()
        if not found.exists():
            raise InputError(f"{source}: {key}: no such file: {found}")
        return str(found)

    expression = run.expression.model_copy(update={"path": resolved("expression.path", run.expression.path)})
    metadata, gene_sets = run.metadata, run.gene_sets
    if metadata.path is not None:
        metadata = metadata.model_copy(update={"path": resolved("metadata.path", metadata.path)})
    elif not expression.path.endswith(".h5ad"):
        raise InputError(f"{source}: metadata.path: missing; only an h5ad file may carry its own metadata")
    if gene_sets not in (None, "builtin"):
        gene_sets = resolved("gene_sets", gene_sets)
    return run.model_copy(update={"expression": expression, "metadata": metadata, "gene_sets": gene_sets})


if __name__ == "__main__":
    for name, text in generated_files().items():
        target = Path(__file__).parents[1] / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        print(target)
