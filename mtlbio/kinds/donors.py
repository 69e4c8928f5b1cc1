"""What cohorts and tables of features have in common: samples of donors, whatever was measured of them."""

from typing import TypeVar

from mtlbio.kinds.base import Kind
from mtlbio.kinds.schemas import DonorRun

D = TypeVar("D", bound=DonorRun)

_FOLDS = 5  # parts that hold somebody out, where the YAML does not say how many folds there are
REFITS_PER_PART = 12  # in stacks of 4, 3, 2 or 1, none of which two parts would share


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

    scattered = {"train": "mtlbio.training.train:train_part", "probe": "mtlbio.probing.probe:probe_part"}

    def scatter_of(self, run: D, step: str) -> tuple[str, ...]:
        """Folds of the training, the final one apart, and some refits of the whole-pipeline null at a time."""
        if step == "train":
            return (*(f"fold{k}" for k in range(run.splits.folds or _FOLDS)), "final")
        if step == "probe":
            return tuple(f"null{k}" for k in range(-(-run.probe.null_refits // REFITS_PER_PART)))
        return ()

    def minutes_of_trial(self, run: D) -> int:
        """An hour, and two minutes for every refit of the whole-pipeline null."""
        return 60 + 2 * run.probe.null_refits
