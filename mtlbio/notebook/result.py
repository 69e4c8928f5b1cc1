"""What a trial in memory gives back."""

import shutil
import tempfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import cast

import anndata as ad
import pandas as pd

from mtlbio.cohort.cohort import Cohort, write_cohort
from mtlbio.embedding.table import write_latents
from mtlbio.errors import InputError, listing
from mtlbio.files import replacing
from mtlbio.kinds import kind_of
from mtlbio.kinds.schemas import LatentsRun
from mtlbio.probing.columns import column_of
from mtlbio.probing.examine import write_tables
from mtlbio.probing.plan import design_of, planned
from mtlbio.report.inputs import Inputs, ReportedRun, read_inputs
from mtlbio.tables import QC, SPLITS, write_table


@dataclass(frozen=True)
class Dimension:
    """One dimension after its trial.

    Attributes
    ----------
    name, verdict, driver, why : as ``verdicts.tsv`` has them; ``driver`` is None where nothing names it
    row : all its columns (docs/tables.md)
    """

    name: str
    verdict: str
    driver: str | None
    why: str
    row: pd.Series = field(repr=False)

    def effect(self, task: str) -> tuple[float, float, float]:
        """Standardised effect of a task after adjustment, with its 95 % interval."""
        return tuple(float(self.row[column_of(part, task)]) for part in ("effect", "ci_low", "ci_high"))  # type: ignore


@dataclass(frozen=True)
class TrialResult:
    """Verdicts of latents, with everything that they rest on.

    Attributes
    ----------
    run : the run that was put together from the call, as a YAML would have it
    cohort, splits, latents : samples with labels and covariates, their folds, and the latents as ``latents.h5ad``
    tables : every table of the trial by name (docs/tables.md)
    dropped : rows of ``qc.tsv``
    notes : what was noticed on the way
    """

    run: LatentsRun
    cohort: Cohort = field(repr=False)
    splits: pd.DataFrame = field(repr=False)
    latents: ad.AnnData = field(repr=False)
    tables: dict[str, pd.DataFrame] = field(repr=False)
    dropped: pd.DataFrame = field(repr=False)
    notes: list[str] = field(default_factory=list, repr=False)

    @property
    def verdicts(self) -> pd.DataFrame:
        """``verdicts.tsv``: a row per dimension."""
        return self.tables["verdicts"]

    @property
    def audit(self) -> pd.DataFrame:
        """``probing/audit.tsv``: what the design can tell apart, and of which tasks nothing is claimed."""
        return self.tables["audit"]

    @cached_property
    def plan(self) -> str:
        """What this design can show, and how many donors more would: the words of ``mtlbio plan``."""
        cohort, dims = self.cohort, len(self.latents.var_names)
        design = design_of(self.run, cohort.obs, cohort.tasks, cohort.covariates, self.dropped, dims)
        return planned(design, kind_of(self.run).planted, [])[1]

    @cached_property
    def drawn_from(self) -> Inputs:
        """What pictures and page are drawn from (:mod:`mtlbio.report.inputs`)."""
        with tempfile.TemporaryDirectory(prefix="mtlbio_") as temporary:
            return read_inputs(cast(ReportedRun, self.run), self.save(temporary))

    def __getitem__(self, dim: str) -> Dimension:
        """A dimension by its name; an InputError where there is none."""
        rows = self.verdicts.set_index("dim")
        if dim not in rows.index:
            raise InputError(f"no dimension {dim!r}; there are {listing(rows.index, 40)}")
        row = rows.loc[dim]
        return Dimension(dim, row["verdict"], row["driver"] if pd.notna(row["driver"]) else None, row["why"], row)

    def __len__(self) -> int:
        """Number of dimensions."""
        return len(self.verdicts)

    def __repr__(self) -> str:
        """Dimensions by verdict."""
        counts = ", ".join(f"{n} {verdict}" for verdict, n in self.verdicts["verdict"].value_counts().items())
        return f"{type(self).__name__} of {len(self)} dimensions: {counts}"

    def _repr_html_(self) -> str:
        """The table that a notebook shows."""
        return self.verdicts[["dim", "verdict", "driver", "why"]].to_html(index=False, escape=True)

    def save(self, folder: str | Path) -> Path:
        """Write the tables, ``cohort.h5ad`` and ``latents.h5ad`` into a folder; gives its path."""
        folder = Path(folder)
        (folder / "probing").mkdir(parents=True, exist_ok=True)
        write_cohort(self.cohort, folder / "cohort.h5ad")
        write_latents(self.latents, folder / "latents.h5ad")
        write_table(self.dropped, folder / "qc.tsv", QC)
        write_table(self.splits, folder / "splits.tsv", SPLITS)
        write_tables(self.tables, folder)
        return folder

    def report(self, path: str | Path) -> Path:
        """Draw the page of these verdicts; nothing else is left behind. Gives its path."""
        from mtlbio.report.page import report

        with tempfile.TemporaryDirectory(prefix="mtlbio_report_") as temporary:
            report(cast(ReportedRun, self.run), self.save(temporary))
            with replacing(path) as target:
                shutil.copyfile(Path(temporary) / "report.html", target)
        return Path(path)
