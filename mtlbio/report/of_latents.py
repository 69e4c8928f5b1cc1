"""What the page says of latents that another model made."""

from typing import cast

from mtlbio.embedding.table import measured
from mtlbio.kinds.schemas import LatentsRun
from mtlbio.probing.claims import Statement
from mtlbio.probing.examinee import NOTHING
from mtlbio.report.inputs import Inputs
from mtlbio.report.of_samples import sizes as sizes_of_samples


def cautions(inputs: Inputs) -> list[str]:
    """What the model saw, and of which tasks nothing is claimed."""
    cohort, run = inputs.cohort, cast(LatentsRun, inputs.run)
    said = [Statement.of_cohort(run.latents, cohort).sentence]
    audit = inputs.tables.get("audit")
    return said if audit is None else said + audit.loc[audit["kind"] == "latents", "why"].tolist()


def sizes(inputs: Inputs) -> list[tuple[int, str]]:
    """Donors, samples, and genes where there are measurements."""
    shown = sizes_of_samples(inputs)
    return shown if measured(inputs.cohort) else shown[:-1]


def unseen(run: LatentsRun) -> bool:
    """Whether the latents of a donor come from a model that never saw the donor."""
    return run.latents.encode is not None or run.latents.saw == NOTHING
