"""The baselines of latents that another model made: what can be predicted from the same samples without them."""

from pathlib import Path

from mtlbio.cohort.cohort import read_cohort
from mtlbio.embedding.table import measured
from mtlbio.evaluation.baselines import arms_of, predict_baselines
from mtlbio.kinds.schemas import LatentsRun
from mtlbio.tables import PREDICTIONS, SPLITS, read_table, write_table


def baselines(run: LatentsRun, results: Path) -> None:
    """Step ``baselines``: from the measurements where there are any, else from the covariates alone."""
    results = Path(results)
    cohort = read_cohort(results / "cohort.h5ad")
    splits = read_table(results / "splits.tsv", SPLITS)
    options = run.baselines
    arms = [arm for arm in arms_of(options) if measured(cohort) or arm == "covariates"]
    table = predict_baselines(cohort, splits, arms, run.training.genes, options.seed, options.sites)
    write_table(table, results / "baselines" / "predictions.tsv", PREDICTIONS)
