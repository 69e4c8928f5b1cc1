"""``mtlbio plan``: what the design can show, and whether a deep trunk will be trained."""

from pathlib import Path

from mtlbio.choices.deep import plan_lines
from mtlbio.kinds.schemas import DonorRun
from mtlbio.probing import plan as design
from mtlbio.tables import read_table


def plan(run: DonorRun, results: Path, dims: int = 20) -> str:
    """Write ``plan.tsv`` and give the answers in words, as :func:`mtlbio.probing.plan.plan`."""
    text = design.plan(run, results, dims)
    return "\n".join([text, *plan_lines(run.training, read_table(Path(results) / "plan.tsv"))])
