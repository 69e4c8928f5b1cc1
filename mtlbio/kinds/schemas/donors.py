"""What runs of samples of donors have in common, whatever was measured of a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from mtlbio.config.federation import Federation
from mtlbio.config.results import Baselines, Evaluate, Probe, Report
from mtlbio.config.samples import Covariate, Expression, Metadata, Pseudobulk, Qc, Splits
from mtlbio.config.tasks import Tasks
from mtlbio.config.training import Training
from mtlbio.errors import listing
from mtlbio.kinds.schemas.run import Run
from mtlbio.labels import label_kind
from mtlbio.section import Name

RESERVED = ("sample", "donor", "fold")


class DonorRun(Run):
    """A run of samples of donors; a kind adds where their measurements or features are."""

    metadata: Metadata = Metadata()
    tasks: Tasks
    covariates: Annotated[dict[Name, Covariate], Field(description="what to control for, by name")] = {}
    qc: Qc = Qc()
    splits: Splits = Splits()
    training: Training = Training()
    baselines: Baselines = Baselines()
    evaluate: Evaluate = Evaluate()
    probe: Probe = Probe()
    report: Report = Report()
    federation: Federation | None = Field(
        None, description="hospitals that may not pool: sites that exchange sums ([federation](../docs/federation.md))"
    )

    if TYPE_CHECKING:  # keys of some kinds, None for the others

        @property
        def expression(self) -> Expression | None: ...
        @property
        def pseudobulk(self) -> Pseudobulk | None: ...
        @property
        def gene_sets(self) -> str | None: ...

    @property
    def measured(self) -> Expression:
        """Where the measurements are, of a run that was checked and has them."""
        assert self.expression is not None, "a run without measurements"
        return self.expression

    @model_validator(mode="after")
    def _parts_agree(self) -> DonorRun:
        self._source_agrees()
        self._estimate_agrees()
        for name in [task for task in self.tasks if task in self.covariates]:
            if self.task_column(name) != self.covariate_column(name):
                raise ValueError(
                    f"tasks.{name} and covariates.{name} read different columns "
                    f"({self.task_column(name)}, {self.covariate_column(name)}): give one of them another name"
                )
        for name, covariate in self.covariates.items():
            if covariate.reliability < 1 and covariate.kind != "continuous":
                raise ValueError(
                    f"covariates.{name}.reliability: found {covariate.reliability:g} of a categorical covariate; "
                    f"valid: kind: continuous, whose values are numbers"
                )
        if all(task.auxiliary for task in self.tasks.values()):
            raise ValueError("tasks: all of them are auxiliary; expected at least one that is to be predicted")
        self._training_agrees()
        if self.pseudobulk is not None and self.metadata.donor in self.pseudobulk.by:
            raise ValueError(
                f"pseudobulk.by: found {self.metadata.donor!r}, the donors' column, which always counts; valid: others"
            )
        self._columns_agree()
        self._family_agrees()
        self._splits_agree()
        return self

    def _source_agrees(self) -> None:
        """What the measurements or features need, and what goes with them."""

    def _estimate_agrees(self) -> None:
        """Composition is estimated once, from measurements of whole samples."""
        for name, covariate in self.covariates.items():
            covariate.check(f"covariates.{name}")
        for name in self.estimated[1:]:
            raise ValueError(
                f"covariates.{name}.estimate: covariates.{self.estimated[0]} is estimated already; valid: one"
            )
        for name in self.estimated:
            if getattr(self, "expression", None) is None:
                raise ValueError(f"covariates.{name}.estimate: needs measurements (expression); found none in this run")
            if self.pseudobulk is not None:
                raise ValueError(
                    f"covariates.{name}.estimate: single cells are counted, not estimated: give the share of each cell "
                    f"type as a covariate of its own (kind: continuous)"
                )
            if name in self.tasks:
                raise ValueError(f"covariates.{name}: is a task too; what is estimated cannot be predicted")

    def _training_agrees(self) -> None:
        by, valid = self.training.validate_by, self._categorical()
        if by is not None and by not in valid:
            raise ValueError(f"training.validate_by: found {by!r}; valid: {listing(valid)} (categorical)")
        if self.training.adversary is None:
            return
        key, name = "training.adversary.covariate", self.training.adversary.covariate
        if name not in self.covariates:
            raise ValueError(f"{key}: found {name!r}; valid: {listing(self.covariates)} (the covariates)")
        if name in self.tasks:
            raise ValueError(f"{key}: {name} is a task too; valid: a covariate that is not to be predicted")
        if name in self.estimated:
            raise ValueError(f"{key}: {name} is estimated from the expression; valid: a covariate that was recorded")
        private = [name for name in self.training.paths if name in ("axes", "genes")]
        if private:
            raise ValueError(
                f"training.paths: found {listing(private)}, which the adversary cannot reach; valid with "
                f"training.adversary: dense, curved"
            )

    def _columns_agree(self) -> None:
        """Names are free, identifiers are no labels, and a column has one name."""
        columns = {("tasks", name): self.task_column(name) for name in self.tasks}
        columns |= {("covariates", name): self.covariate_column(name) for name in self.recorded}
        for (part, name), column in columns.items():
            if name in RESERVED:
                raise ValueError(f"{part}.{name}: the name is reserved ({', '.join(RESERVED)}); give it another name")
            if column in (self.metadata.sample, self.metadata.donor):
                raise ValueError(
                    f"{part}.{name}: column {column!r} is the identifier of samples or donors, not a label"
                )
        for name in self.recorded:
            column = self.covariate_column(name)
            others = [f"{part}.{other}" for (part, other), c in columns.items() if other != name and c == column]
            if others:
                raise ValueError(
                    f"covariates.{name}: column {column!r} is read by {others[0]} too: give both the same name"
                )

    def _family_agrees(self) -> None:
        """What groups the donors is neither an identifier nor a label."""
        column, identifiers = self.metadata.family, (self.metadata.sample, self.metadata.donor)
        if self.metadata.order in identifiers:
            raise ValueError(
                f"metadata.order: column {self.metadata.order!r} is the identifier of samples or donors, not an order"
            )
        if column in identifiers:
            raise ValueError(f"metadata.family: column {column!r} is the identifier of samples or donors, not a family")
        for name in self.tasks:
            if column is not None and column == self.task_column(name):
                raise ValueError(f"metadata.family: column {column!r} is the label of tasks.{name}, not a family")

    def _splits_agree(self) -> None:
        if self.splits.kind == "leave_out":
            if self.splits.by not in self._categorical():
                raise ValueError(
                    f"splits.by: leave_out needs a categorical covariate, "
                    f"found {self.splits.by!r}; valid: {listing(self._categorical())}"
                )
        elif self.splits.by is not None:
            raise ValueError("splits.by: only used with splits.kind leave_out")
        if self.splits.also is not None:
            if self.splits.kind == "leave_out":
                raise ValueError("splits.also: found beside splits.kind leave_out; valid: kind: donor")
            if self.splits.also.by not in self._categorical():
                found, valid = self.splits.also.by, listing(self._categorical())
                raise ValueError(f"splits.also.by: found {found!r}; valid: {valid} (categorical covariates)")
        named = {"baselines.sites": self.baselines.sites, "probe.sites": self.probe.sites}
        if self.training.sites is not None:
            named["training.sites.by"] = self.training.sites.by
        for key, name in named.items():
            if name is not None and name not in self._categorical():
                raise ValueError(
                    f"{key}: found {name!r}; valid: {listing(self._categorical())} (categorical covariates)"
                )

    def _categorical(self) -> list[str]:
        return [name for name, covariate in self.covariates.items() if covariate.kind == "categorical"]

    @property
    def trial_options(self) -> Probe:
        """Options of the trial, with the sites that it takes where the YAML names none: those that are held out."""
        held_out = self.splits.of_sites or self.splits
        return self.probe if self.probe.sites else self.probe.model_copy(update={"sites": held_out.by})

    @property
    def recorded(self) -> list[str]:
        """Covariates that the metadata hold."""
        return [name for name, covariate in self.covariates.items() if not covariate.estimate]

    @property
    def estimated(self) -> list[str]:
        """Covariates that are estimated from the measurements: none, or one."""
        return [name for name, covariate in self.covariates.items() if covariate.estimate]

    @property
    def further_columns(self) -> dict[str, str]:
        """Metadata columns that a kind of run reads beside labels and covariates, by the key that names them."""
        return {}

    def task_columns(self, name: str) -> dict[str, str]:
        """Metadata columns that a task is read from, by the key that names them; the first is the label itself."""
        return label_kind(self.tasks[name].kind).columns(name, self.tasks[name])

    def task_column(self, name: str) -> str:
        """Metadata column of a task."""
        return next(iter(self.task_columns(name).values()))

    def covariate_column(self, name: str) -> str:
        """Metadata column of a covariate."""
        return self.covariates[name].column or name
