"""What a run's sentences call things: a donor or a chain, a sample or a residue, a gene or a letter.

Sentences take their words from a :class:`Vocabulary` while they are written. Names that the user gave (of tasks,
covariates, levels) stand beside these words and are never rewritten.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Vocabulary:
    """The words of one kind of run."""

    unit: str  # who is held out as a whole, and whom every interval counts
    units: str
    sample: str  # what has a latent vector
    samples: str
    all_units: str  # all of them together, after "in"
    batch: str  # what a technical covariate is called in general, after "the"
    processing: str  # what technical covariates record, after "the" and "no"
    processing_as_subject: str  # where it acts
    processed: str  # whatever technical covariates record, after "how"
    usual_covariates: str  # that a reader may miss
    a_label: str  # what biology is about, for instance
    finds_again: str  # when a dimension has to be found again
    found_again: str  # the same of one that was not
    replicas: str  # over what networks are repeated
    axes: str  # the dimensions that no label trained, with what sets them apart
    feature: str  # what has a loading
    features: str
    top_features: str  # what stands before the features with the largest loadings
    gene_set: str  # what may name a dimension
    gene_sets: str
    gene_sets_heading: str  # the same above a table of them
    low: str  # before such a name where it falls as the dimension rises; empty where no direction is told
    gene_sets_from: str  # why none were tested, or who tests them
    gene_sets_cited: tuple[str, str] | None  # source of method or names, and journal; None: nothing to cite
    dropped: str  # what quality control leaves out, beside features
    repeats: str  # what is not counted in place of units

    @property
    def capital_units(self) -> str:
        """``units`` at the beginning of a sentence."""
        return self.units.capitalize()

    @property
    def capital_feature(self) -> str:
        """``feature`` at the beginning of a sentence."""
        return self.feature.capitalize()

    def fill(self, text: str) -> str:
        """A fixed text of the package with this vocabulary's words in its braces; no user's name may stand in it.

        Examples
        --------
        >>> CHAINS.fill("too few {units} to affirm or to exclude anything")
        'too few chains to affirm or to exclude anything'
        """
        return text.format_map(vars(self))


DONORS = Vocabulary(
    unit="donor",
    units="donors",
    sample="sample",
    samples="samples",
    all_units="this cohort",
    batch="batch",
    processing="processing",
    processing_as_subject="processing",
    processed="the samples were processed",
    usual_covariates="age, sex or batch",
    a_label="the disease (or another label)",
    finds_again="when donors are held out",
    found_again="when donors were held out",
    replicas="folds and seeds",
    axes="the axes, which are found without labels,",
    feature="gene",
    features="genes",
    top_features="Top genes",
    gene_set="gene set",
    gene_sets="gene sets",
    gene_sets_heading="Gene sets",
    low="",
    gene_sets_from="the run's gene_sets names them",
    gene_sets_cited=("decoupler, Badia-i-Mompel et al. 2022", "Bioinform. Adv."),
    dropped="Samples, donors and cells",
    repeats="cells or visits",
)

# tables of features: what has a loading may itself name a dimension, and nothing is a gene
PATIENTS = replace(
    DONORS,
    feature="feature",
    features="features",
    top_features="Columns",
    gene_set="feature",
    gene_sets="features",
    gene_sets_heading="Features",
    gene_sets_from="mtlbio probe writes it",
    gene_sets_cited=None,
)

# several assays: a feature is a gene in one of them and a metabolite in another
ASSAYS = replace(DONORS, feature="feature", features="features", top_features="Top features")

CHAINS = Vocabulary(
    unit="chain",
    units="chains",
    sample="residue",
    samples="residues",
    all_units="this set of chains",
    batch="data set",
    processing="data set",
    processing_as_subject="the data set",
    processed="the chains were chosen and solved",
    usual_covariates="position, distance from an end, length or data set",
    a_label="a label",
    finds_again="in another replica",
    found_again="by another replica",
    replicas="replicas",
    axes="h_t",
    feature="letter",
    features="letters",
    top_features="Letters at and around the residue",
    gene_set="property",
    gene_sets="properties",
    gene_sets_heading="Properties of residues",
    low="low ",
    gene_sets_from="mtlbio probe writes it",
    gene_sets_cited=("AAindex, Kawashima et al. 2008", "Nucleic Acids Res."),
    dropped="Chains",
    repeats="residues",
)
