"""Where samples come from: measurements or features, description, what is controlled for, dropped and held out."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from mtlbio.section import Name, Section, Seed


class Expression(Section):
    """Where the measurements are and on which scale."""

    path: str = Field(
        description="h5ad, zarr, h5mu, loom, csv/tsv (.gz), parquet, a 10x/mtx folder or 10x h5; samples in rows, "
        "genes in columns"
    )
    scale: Literal["counts", "log", "log2", "beta", "z", "linear", "percent"] = Field(
        description="counts are normalised and log-transformed (estimated ones are rounded first); log, log2 and z are "
        "used as they are; linear (TPM, FPKM, intensities) becomes log2(x + 1); beta (methylation, 0-1) and percent "
        "(methylation, 0-100) become M values"
    )
    layer: str | None = Field(
        None, description="h5ad, zarr, h5mu, loom only: the layer to use instead of X; `raw` for raw.X"
    )
    modality: str | None = Field(None, description="h5mu (MuData) only: the modality to use, such as rna")
    genes_in: Literal["columns", "rows"] = Field(
        "columns", description="tables only: rows where every row is a gene and every column a sample"
    )
    genes: str | None = Field(
        None,
        description="column with the names of the genes: of a table with genes in rows (else the first that looks like "
        "one), or of var in an h5ad, zarr, h5mu or loom (such as feature_name; else its index)",
    )
    drop: list[str] = Field(
        [], description="names among the genes that are none, such as a RIN or age left in the table"
    )
    format: str | None = Field(
        None,
        description="layout of a vendor or repository where it is not recognised by itself, such as olink or maxquant "
        "([layouts](../docs/inputs/formats.md)); table: an ordinary table, whatever it looks like",
    )
    missing: Literal["stop", "drop", "fill"] = Field(
        "stop",
        description="gaps in the measurements: stop; drop genes with any; or fill, which drops genes with more than "
        "20 % gaps and gives the others the gene's median over the samples",
    )


class Table(Section):
    """A table of features in place of measurements: genotypes, clinical numbers."""

    path: str = Field(description="csv/tsv (.gz) or parquet, one row per sample; may hold the metadata too")
    numeric: list[str] = Field(
        [], description="columns of numbers; a gap is filled with the training donors' mean and marked"
    )
    categories: list[str] = Field(
        [], description="columns of categories, each level a column of its own; a gap is a level of its own"
    )
    groups: dict[Name, Annotated[list[str], Field(min_length=1)]] = Field(
        {}, description="columns that speak of one thing (an enzyme's genotype and expression): one dimension together"
    )
    rare: int = Field(10, ge=1, le=1_000_000, description="levels of fewer samples are pooled")


class Metadata(Section):
    """Where the description of the samples is."""

    model_config = ConfigDict(str_min_length=0)  # sample: "" for the row names of a table that R wrote

    path: str | None = Field(
        None, description="csv/tsv (.gz) or parquet; may be left out for an h5ad whose obs describes the samples"
    )
    sample: str = Field(
        "sample_id", description="column with the sample identifier; for h5ad with its own obs: the index"
    )
    donor: str = Field("donor_id", description="column with the donor identifier: the unit of every test")
    family: str | None = Field(
        None,
        description="column with who belongs together above the donor (family, household, litter, pair of clinics): "
        "never split over folds, and one piece of evidence in every test; a donor without one (empty, unknown, "
        "none, 0, -, .) is alone",
    )
    order: str | None = Field(
        None,
        description="column with the date (YYYY-MM-DD) or number of sampling: the audit asks whether it goes with an "
        "outcome; biology for that outcome then has to stand with the order held fixed too",
    )
    missing: list[str | int | float | bool] = Field(
        [],
        description="values that mean that something is not known (unknown, -9), in every column that the run uses; "
        "words in upper or lower case, numbers not among the donors' names",
    )
    spelling: Literal["exact", "pool"] = Field(
        "exact",
        description="pool: levels and donors that are equal but for upper and lower case, blanks, hyphens or the form "
        "of a letter are one; exact: they are not, and are named",
    )


class Covariate(Section):
    """Something that is known about a sample and must be controlled for."""

    role: Literal["confounder", "technical"] = Field(
        description="confounder: upstream of the disease (age, sex, site); technical: processing (plate, chip, run)"
    )
    kind: Literal["categorical", "continuous"] = Field("categorical", description="factors stay factors")
    column: str | None = Field(None, description="metadata column; the covariate's own name where left out")
    estimate: bool = Field(
        False,
        description="true: no metadata column, but the cell-type composition estimated from the expression itself "
        "([composition](../docs/composition.md)); every cell type becomes a continuous covariate `<name>_<cell type>` "
        "that is held fixed as a straight line; `role` is then confounder where left out",
    )
    markers: str | None = Field(
        None,
        description="with `estimate`: GMT file of marker genes per cell type, or `builtin` (blood cells), the default",
    )
    cell_types: list[str] | None = Field(
        None,
        description="with `estimate`: the cell types to hold fixed; where left out, all that can be estimated, up to "
        "one for every ten donors",
    )
    components: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        None,
        description="with `estimate`: hold this many principal components of the scores fixed, `<name>_1` and so on, "
        "in place of the cell types",
    )
    reliability: float = Field(
        1.0,
        gt=0,
        le=1,
        description="kind continuous only: the share of its variance among donors that is true, the rest being error "
        "(the correlation of two recordings of the same donors); below 1 every test is corrected for it",
    )

    @model_validator(mode="before")
    @classmethod
    def _estimated(cls, content):
        """What is estimated is a number, and a confounder unless it is said what else."""
        if isinstance(content, dict) and content.get("estimate"):
            return {"role": "confounder", "kind": "continuous"} | content
        return content

    def check(self, key: str) -> None:
        """A ValueError that begins with ``key`` where keys do not go together."""
        own = [name for name in ("markers", "cell_types", "components") if getattr(self, name) is not None]
        if not self.estimate and own:
            raise ValueError(f"{key}.{own[0]}: found without estimate: true; valid: only for what is estimated")
        if self.reliability < 0.01:
            raise ValueError(
                f"{key}.reliability: found {self.reliability:g}; expected 0.01 or more: what is recorded with more "
                f"error than that cannot be held fixed"
            )
        if self.estimate and self.column is not None:
            raise ValueError(f"{key}.column: found {self.column!r} beside estimate: true; valid: one of the two")
        if self.estimate and self.reliability < 1:
            raise ValueError(f"{key}.reliability: found beside estimate: true; valid: only for what is recorded")
        if self.estimate and self.kind != "continuous":
            raise ValueError(f"{key}.kind: found {self.kind}; valid: continuous, as what is estimated is a number")
        if self.cell_types is not None and (not self.cell_types or self.components is not None):
            what = "an empty list" if not self.cell_types else "components beside it"
            raise ValueError(f"{key}.cell_types: found {what}; valid: names of cell types, or components")


class Pseudobulk(Section):
    """Single cells become donor-level samples."""

    by: list[str] = Field(
        [], description="metadata columns besides the donor that make a sample, e.g. condition, cell_type"
    )
    min_cells: int = Field(
        10, ge=1, le=1_000_000, description="samples of fewer cells are dropped and listed in qc.tsv"
    )


class Qc(Section):
    """What is dropped before anything is learnt."""

    min_genes: int = Field(
        0, ge=0, le=1_000_000, description="counts only: samples with fewer genes detected are dropped"
    )
    min_samples: int = Field(
        3, ge=0, le=1_000_000, description="genes detected in fewer samples are dropped (counts), constant genes always"
    )
    twins: Literal["stop", "keep"] = Field(
        "stop", description="samples of different donors that are nearly the same: stop, or keep where they are meant"
    )


class AlsoHeldOut(Section):
    """Whole levels that are held out too, beside the folds of donors."""

    by: str = Field(description="the categorical covariate whose levels are held out (hospitals, chips, batches)")
    folds: Annotated[int, Field(ge=2, le=1000)] | None = Field(
        None, description="number of folds of whole levels; one for each level where left out"
    )


class Splits(Section):
    """Who is held out."""

    kind: Literal["donor", "leave_out"] = Field(
        "donor", description="donor: stratified folds of donors; leave_out: each level of `by` is held out in turn"
    )
    folds: Annotated[int, Field(ge=2, le=1000)] | None = Field(
        None,
        description="number of folds; where left out, 5 of donors (kind donor) or one for each level (kind leave_out), "
        "which many small levels (chips) make too many: whole levels then share a fold",
    )
    by: str | None = Field(None, description="kind leave_out: the categorical covariate whose levels are held out")
    also: AlsoHeldOut | None = Field(
        None,
        description="kind donor: train once more with whole levels held out, and say what every metric loses "
        "([sites](../docs/sites.md))",
    )
    seed: Seed = Field(0, description="seed of the fold assignment")

    @property
    def of_sites(self) -> "Splits | None":
        """The folds of whole levels beside those of donors; None where there are none."""
        if self.also is None:
            return None
        return Splits(kind="leave_out", by=self.also.by, folds=self.also.folds, seed=self.seed)
