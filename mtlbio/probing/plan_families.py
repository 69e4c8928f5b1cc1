"""What ``mtlbio plan`` says of relatives: how many families, and where they are too few."""

import numpy as np

from mtlbio.cohort.family import FEW, largest, unrecorded
from mtlbio.probing.plan_design import Design, TaskPlan
from mtlbio.probing.trial import Trial


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
    if count < FEW:
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


def family_line(design: Design, task: TaskPlan) -> list[str]:
    """What relatives cost a task, as the audit has it."""
    rows = design.audit[(design.audit["kind"] == "family") & (design.audit["task"] == task.name)]
    return [why.removeprefix(f"{task.name}: ") for why in rows["why"]]
