"""The run description: the only module that knows the YAML.

``load_run`` reads one file, checks it and returns a :class:`Run`. Its sections are in :mod:`mtlbio.sections`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from mtlbio.errors import InputError, listing
from mtlbio.keys import explain
from mtlbio.labels import label_kind
from mtlbio.protein import STEP_KEYS as PROTEIN_STEP_KEYS
from mtlbio.protein import ProteinRun
from mtlbio.reference import INTRODUCTION, PROTEINS, markdown
from mtlbio.section import Name, Section
from mtlbio.sections import (
    Baselines,
    Covariate,
    Evaluate,
    Expression,
    Metadata,
    Probe,
    Pseudobulk,
    Qc,
    Report,
    Splits,
    Table,
    Training,
)
from mtlbio.strict_yaml import read_yaml
from mtlbio.task_sections import Tasks


class Run(Section):
    """One run: a cohort, its tasks, its covariates and the options of every step."""

    run: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] = Field(
        description="name; results go to `results/<run>`"
    )
    kind: Literal["cohort"] = Field("cohort", description="cohort; for a run of kind protein see below")
    expression: Expression | None = Field(
        None, description="where the measurements are and on which scale; this or `features` is required"
    )
    features: Table | None = None
    metadata: Metadata = Metadata()
    pseudobulk: Pseudobulk | None = Field(None, description="only for single-cell input")
    tasks: Tasks
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
        self._source_agrees()
        for name, task in self.tasks.items():
            if self.features is None and label_kind(task.kind).needs_features(task):
                raise ValueError(f"tasks.{name}.head: multiplicative needs a table of features (features: ...)")
            twin = self.covariates.get(name)
            if twin and self.task_column(name) != self.covariate_column(name):
                raise ValueError(
                    f"tasks.{name} and covariates.{name} read different columns "
                    f"({self.task_column(name)}, {self.covariate_column(name)}): give one of them another name"
                )
        if all(task.auxiliary for task in self.tasks.values()):
            raise ValueError("tasks: all of them are auxiliary; expected at least one that is to be predicted")
        by = self.training.validate_by
        if by is not None and (by not in self.covariates or self.covariates[by].kind != "categorical"):
            valid = [n for n, c in self.covariates.items() if c.kind == "categorical"]
            raise ValueError(f"training.validate_by: found {by!r}; valid: {listing(valid) or '(none)'} (categorical)")
        adversary = self.training.adversary
        if adversary is not None:
            if adversary.covariate not in self.covariates:
                valid = listing(self.covariates) or "(none)"
                raise ValueError(
                    f"training.adversary.covariate: found {adversary.covariate!r}; valid: {valid} (the covariates)"
                )
            if adversary.covariate in self.tasks:
                raise ValueError(
                    f"training.adversary.covariate: {adversary.covariate} is a task too; "
                    f"valid: a covariate that is not to be predicted"
                )
            private = [name for name in self.training.paths if name in ("axes", "genes")]
            if private:
                raise ValueError(
                    f"training.paths: found {listing(private)}, which the adversary cannot reach; valid with "
                    f"training.adversary: dense, curved"
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

    def _source_agrees(self) -> None:
        """Measurements or a table of features, and what goes with which."""
        if self.features is None:
            if self.expression is None:
                found = "found nothing" if "expression" in self.model_fields_set else "missing"
                raise ValueError(
                    f"expression: {found}; expected {{path, scale, layer}}, or features: {{path, numeric, categories}}"
                )
            return
        if self.expression is not None:
            raise ValueError("features: found beside expression; valid: one of the two")
        if self.pseudobulk is not None:
            raise ValueError("pseudobulk: only for single-cell input, not for a table of features")
        if self.gene_sets is not None:
            raise ValueError("gene_sets: a table of features has no genes; its own columns name the dimensions")
        for name in ("reconstruction", "masked_genes"):
            if getattr(self.training, name) is not None:
                raise ValueError(f"training.{name}: rebuilds measurements; a table of features has none")
        table = self.features
        if not table.numeric and not table.categories:
            raise ValueError("features.numeric: no column is named; expected columns in numeric or categories")
        listed = [*table.numeric, *table.categories]
        twice = [column for column in listed if listed.count(column) > 1]
        if twice:
            raise ValueError(f"features: column {twice[0]!r} is listed twice; valid: once, in numeric or in categories")
        for column in listed:
            for key, name in self._entries():
                if key.startswith("tasks.") and self._column(key, name) == column:
                    raise ValueError(f"features: column {column!r} is the label of {key}: it would predict itself")
            if column in (self.metadata.sample, self.metadata.donor):
                raise ValueError(f"features: column {column!r} is the identifier of samples or donors, not a feature")

    def _entries(self) -> list[tuple[str, str]]:
        return [(f"tasks.{n}", n) for n in self.tasks] + [(f"covariates.{n}", n) for n in self.covariates]

    def _column(self, key: str, name: str) -> str:
        return self.task_column(name) if key.startswith("tasks.") else self.covariate_column(name)

    @property
    def source(self) -> Expression | Table:
        """The section that says where the measurements or the features are."""
        return self.features or self.expression

    def task_columns(self, name: str) -> dict[str, str]:
        """Metadata columns that a task is read from, by the key that names them; the first is the label itself."""
        return label_kind(self.tasks[name].kind).columns(name, self.tasks[name])

    def task_column(self, name: str) -> str:
        """Metadata column of a task."""
        return next(iter(self.task_columns(name).values()))

    def covariate_column(self, name: str) -> str:
        """Metadata column of a covariate."""
        return self.covariates[name].column or name


# Which keys each step depends on beyond the files it reads: a changed key reruns these steps and what follows.
STEP_KEYS = {
    "prepare": ("expression", "features", "metadata", "pseudobulk", "tasks", "covariates", "qc", "splits"),
    "train": ("training",),
    "baselines": ("baselines", "training.genes"),
    "evaluate": ("evaluate",),
    "probe": ("probe", "gene_sets"),
    "report": ("run", "report"),
}


# The models of a run by kind.
KINDS: dict[str, type[Run | ProteinRun]] = {"cohort": Run, "protein": ProteinRun}


def step_options(run: Run | ProteinRun, step: str) -> str:
    """JSON text of the keys that ``step`` depends on: the parameter that makes Snakemake rerun it."""
    keys = PROTEIN_STEP_KEYS if run.kind == "protein" else STEP_KEYS
    whole = run.model_dump(mode="json")

    def pick(key: str):
        value = whole
        for part in key.split("."):
            value = value[part]
        return value

    return json.dumps({key: pick(key) for key in keys[step]}, sort_keys=True)


def load_run(path: str | Path) -> Run | ProteinRun:
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
    kind = content.get("kind", "cohort")
    if kind not in KINDS:
        raise InputError(f"{path}: kind: found {kind!r}; expected {listing(KINDS)}")
    try:
        run = KINDS[kind].model_validate(content)
    except ValidationError as error:
        raise InputError(f"{path}: {_of_another_kind(content, kind) or explain(error, KINDS[kind])}") from None
    return _absolute(run, path)


def _of_another_kind(content: dict, kind: str) -> str | None:
    """The line on a top-level key that belongs to the other kind of run; None where there is none."""
    for other, model in KINDS.items():
        strange = [k for k in content if k not in KINDS[kind].model_fields and k in model.model_fields]
        if strange:
            hint = f"write `kind: {other}`, or leave it out" if kind == "cohort" else "leave it out"
            return f"{strange[0]}: unknown key; it belongs to a run of kind {other}, and this one is a {kind}: {hint}"
    return None


def config_reference() -> str:
    """``config/README.md``: how a run is written, and every key of it."""
    return INTRODUCTION + markdown(Run) + PROTEINS + markdown(ProteinRun, "protein: ")


def json_schema(kind: str = "cohort") -> dict:
    """JSON schema of a run's YAML (``workflow/schemas/``), for editors and for Snakemake."""
    schema = KINDS[kind].model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def generated_files() -> dict[str, str]:
    """Files of the repository that follow from the model, by path; ``python -m mtlbio.config`` writes them."""
    return {
        "config/README.md": config_reference(),
        "workflow/schemas/run.schema.json": json.dumps(json_schema(), indent=2) + "\n",
        "workflow/schemas/protein.schema.json": json.dumps(json_schema("protein"), indent=2) + "\n",
    }


def _absolute(run: Run | ProteinRun, yaml: Path) -> Run | ProteinRun:
    folder = yaml.resolve().parent

    def resolved(key: str, value: str) -> str:
        found = (folder / Path(value).expanduser()).resolve()
        if not found.exists():
            raise InputError(f"{yaml}: {key}: no such file: {found}")
        return str(found)

    if run.kind == "protein":
        return run.absolute(resolved)
    key = "expression" if run.features is None else "features"
    source = run.source.model_copy(update={"path": resolved(f"{key}.path", run.source.path)})
    metadata, gene_sets = run.metadata, run.gene_sets
    if metadata.path is not None:
        metadata = metadata.model_copy(update={"path": resolved("metadata.path", metadata.path)})
    elif run.features is None and not source.path.endswith(".h5ad"):
        raise InputError(f"{yaml}: metadata.path: missing; only an h5ad file may carry its own metadata")
    if gene_sets not in (None, "builtin"):
        gene_sets = resolved("gene_sets", gene_sets)
    return run.model_copy(update={key: source, "metadata": metadata, "gene_sets": gene_sets})


if __name__ == "__main__":
    for name, text in generated_files().items():
        target = Path(__file__).parents[1] / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        print(target)
