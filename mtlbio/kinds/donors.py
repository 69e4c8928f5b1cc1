"""What cohorts and tables of features have in common: samples of donors, whatever was measured of them."""

from typing import TypeVar

from mtlbio.kinds.base import Kind
from mtlbio.kinds.schemas import DonorRun

D = TypeVar("D", bound=DonorRun)


class DonorKind(Kind[D]):
    """Samples of donors; the donor is held out as a whole."""

    steps = {
        "prepare": "mtlbio.cohort.prepare:prepare",
        "train": "mtlbio.training.train:train",
        "baselines": "mtlbio.evaluation.baselines:baselines",
        "evaluate": "mtlbio.evaluation.evaluate:evaluate",
        "probe": "mtlbio.probing.probe:probe",
        "report": "mtlbio.report.page:report",
    }
    step_keys = {
        "train": ("training",),
        "baselines": ("baselines", "training.genes"),
        "evaluate": ("evaluate",),
        "probe": ("probe",),
        "report": ("run", "report"),
    }
    commands = {
        "check": "mtlbio.cohort.prepare:check",
        "plan": "mtlbio.probing.plan:plan",
        "warned": "mtlbio.probing.plan:warned",
        "transfer": "mtlbio.commands.transfer:transfer",
    }

    def minutes_of_trial(self, run: D) -> int:
        """An hour, and two minutes for every refit of the whole-pipeline null."""
        return 60 + 2 * run.probe.null_refits
