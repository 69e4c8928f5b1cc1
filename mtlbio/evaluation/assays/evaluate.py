"""Step ``evaluate`` of a run with blocks: that of any cohort, whether each block pays, and what one says of another."""

from pathlib import Path

from mtlbio.cohort.assays.blocks import blocks_of
from mtlbio.cohort.cohort import read_cohort
from mtlbio.evaluation.assays.cross_prediction import cross_prediction
from mtlbio.evaluation.assays.pays import pays
from mtlbio.evaluation.evaluate import evaluate as evaluate_samples
from mtlbio.kinds.schemas import BlocksRun
from mtlbio.tables import CROSS_PREDICTION, PAYS, PREDICTIONS, PREDICTIONS_WITHOUT, SPLITS, read_table, write_table


def evaluate(run: BlocksRun, results: Path) -> None:
    """What :func:`mtlbio.evaluation.evaluate.evaluate` writes, ``pays.tsv`` and ``cross_prediction.tsv``.

    Raises
    ------
    InputError
        A table, ``cohort.h5ad`` or ``latents.h5ad`` is missing.
    """
    results, options = Path(results), run.evaluate
    evaluate_samples(run, results)
    cohort, splits = read_cohort(results / "cohort.h5ad"), read_table(results / "splits.tsv", SPLITS)
    table = read_table(results / "predictions.tsv", PREDICTIONS)
    without = read_table(results / PREDICTIONS_WITHOUT, PREDICTIONS)
    families = None if cohort.families is None else cohort.obs["family"]
    names, how = list(blocks_of(cohort).names), (options.bootstrap, options.seed, options.margin)
    write_table(pays(table, without, cohort.tasks, names, *how, families), results / "pays.tsv", PAYS)
    crossed = cross_prediction(cohort, splits, run.training.genes, options.bootstrap, options.seed)
    write_table(crossed, results / "cross_prediction.tsv", CROSS_PREDICTION)
