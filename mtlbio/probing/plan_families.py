"""What ``mtlbio plan`` says of relatives: how many families, and where they are too few."""

import numpy as np

from mtlbio.cohort.family import FEW, largest, unrecorded
from mtlbio.kinds.vocabulary import Vocabulary
from mtlbio.probing.families import FIRM, firm
from mtlbio.probing.inference import LEAST_CLUSTERS
from mtlbio.probing.plan_design import Design, TaskPlan
from mtlbio.probing.trial import Trial
from mtlbio.probing.units import Units


def in_families(trial: Trial) -> str:
    """`` in 30 families (the largest of 4)``, after the number of donors; empty where none are known."""
    if trial.family is None:
        return ""
    return f" in {len(np.unique(trial.family))} families (the largest of {largest(trial.obs)})"


def family_warnings(design: Design, tasks: list[TaskPlan]) -> list[str]:
    """Few families, donors of whom none is recorded, classes that few families have; empty where none are known."""
    trial = design.trial
    out: list[str] = []
    if trial.family is None:
        return out
    count, units = len(np.unique(trial.family)), trial.words.units
    if count < LEAST_CLUSTERS:
        out.append(
            f"Only {count} families: below {LEAST_CLUSTERS} nothing can be tested, and nothing will be `unused`."
        )
    elif count < FEW:
        out.append(f"Only {count} families: every test counts families, and so few carry no firm claim.")
    if largest(trial.obs) == 1:
        out.append(f"Every {trial.words.unit} is a family alone: metadata.family changes nothing.")
    elif alone := unrecorded(trial.obs):
        who = f"1 {trial.words.unit}" if alone == 1 else f"{alone} {units}"
        out.append(f"Of {who} no family is recorded: each counts as a family of its own.")
    for task in tasks:
        if task.rarest is None or not FEW <= task.fewest or not task.units.families:
            continue
        rarest = task.label.codes(task.units.y) == task.label.classes.index(task.rarest)
        carriers = len(np.unique(task.units.cluster[rarest]))
        if carriers < FEW:
            out.append(f"{task.name}: {task.fewest} {units} with {task.rarest}, but in {carriers} families only.")
    return out


def too_few(units: Units, estimable: bool, alpha: float, words: Vocabulary) -> str:
    """Why none of so few donors, or families, makes biology, however large the effect; empty where they may.

    A firm link is one that hardly any flip of the signs of whole donors (families) reaches; of G of them there are
    2^(G - 1) that differ, so no p is below 2^(1 - G).
    """
    count, noun = units.clusters, "families" if units.families else words.units
    if not estimable and count < LEAST_CLUSTERS:
        return f"of {count} {noun} nothing can be tested, which takes {LEAST_CLUSTERS} or more"
    if not estimable:
        return f"{units.donors} {words.units} are too few for what is held fixed"
    if firm(2.0 ** (1 - count), alpha):
        return ""
    return (
        f"the signs of {count} {noun} can be flipped in {2 ** (count - 1)} ways, so no p is below "
        f"{2.0 ** (1 - count):.2g}, and it takes {FIRM * alpha:.2g}"
    )


def family_line(design: Design, task: TaskPlan) -> list[str]:
    """What relatives cost a task, as the audit has it."""
    rows = design.audit[(design.audit["kind"] == "family") & (design.audit["task"] == task.name)]
    return [why.removeprefix(f"{task.name}: ") for why in rows["why"]]
