"""What cohorts and tables of features have in common: samples of donors, whatever was measured of them."""

from typing import TypeVar

from mtlbio.kinds.base import Kind
from mtlbio.kinds.schemas import DonorRun

D = TypeVar("D", bound=DonorRun)

_FOLDS = 5  # parts that hold somebody out, where the YAML does not say how many folds there are
REFITS_PER_PART = 12  # or a multiple: in stacks of 4, 3, 2 or 1, none of which two parts would share


# commands that fit models of one matrix of measurements without gaps
OF_ONE_MATRIX = ("transfer", "influence", "panel", "tradeoff")


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
        "plan": "mtlbio.commands.plan:plan",
        "warned": "mtlbio.probing.plan:warned",
        "transfer": "mtlbio.commands.transfer:transfer",
        "influence": "mtlbio.commands.influence:influence",
        "panel": "mtlbio.commands.panel:panel",
        "tradeoff": "mtlbio.commands.tradeoff:tradeoff",
    }

    scattered = {"train": "mtlbio.training.train:train_part", "probe": "mtlbio.probing.probe:probe_part"}

    def scatter_of(self, run: D, step: str) -> tuple[str, ...]:
        """Folds of the training, the final one apart, and some refits of the whole-pipeline null at a time.

        Of fewer parts, as ``training.scatter: 3`` asks for, the last one has the final fold too.
        """
        if step == "train":
            return (*(f"fold{k}" for k in range(run.splits.folds or _FOLDS)), "final")[: self.most_parts(run)]
        if step == "probe":
            return tuple(f"null{k}" for k in range(-(-run.probe.null_refits // self.refits_per_part(run))))
        return ()

    def refits_per_part(self, run: D) -> int:
        """Refits of the null that one part makes; the last part may have fewer."""
        most = self.most_parts(run)
        least = -(-run.probe.null_refits // REFITS_PER_PART)
        return REFITS_PER_PART * (1 if most is None else max(1, -(-least // most)))

    def refits_of_part(self, run: D, part: str) -> range:
        """Numbers of the refits that a part makes."""
        per = self.refits_per_part(run)
        first = self.scatter_of(run, "probe").index(part) * per
        return range(first, min(first + per, run.probe.null_refits))

    def minutes_of_trial(self, run: D) -> int:
        """An hour, and two minutes for every refit of the whole-pipeline null."""
        return 60 + 2 * run.probe.null_refits
