"""Heads beside the tasks: auxiliary labels, reconstruction, masked genes, and the adversary.

They exist where tasks are learned together, and leave nothing behind but what they did to the shared part: their
columns are cut off after training. Four kinds:

- a *label* that the run marks ``auxiliary``;
- *reconstruction* of the leading principal components of the sample, from every training sample, labelled or not;
- *masked genes*: the same components from copies of the samples half of whose genes are masked (set to the training
  mean, the others doubled), the tabular form of masked modelling (Yoon et al. 2020, NeurIPS, VIME). The copies are
  further rows of the inputs on which no task has a label;
- the *adversary*: a head that predicts a covariate, whose gradient is turned round where it meets the shared parameters
  (Ganin et al. 2016, JMLR 17:59), with a strength that rises along their curve and never makes it longer than the
  tasks' gradient: plain reversal ran away from strength 1 on, and the batch was then easier to read than before. A
  head that has been fooled has not proved that the covariate is gone: :mod:`mtlbio.evaluation.reprobe` asks a fresh
  classifier.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch

from mtlbio.cohort.cohort import Cohort
from mtlbio.config import Training
from mtlbio.labels import Label, Regression, of_covariate
from mtlbio.model.outputs import Outputs
from mtlbio.training.problem import Extras, FoldData, Problem, Roles, Targets, make_targets, padded, replica_weights

COMPONENTS = 16  # that are rebuilt
MASKED = 0.5  # share of the genes


def with_extras(problem: Problem, cohort: Cohort, folds: list[FoldData], options: Training) -> Problem:
    """The problem with all further heads that the options and the cohort name, and with the paths of the options."""
    problem = replace(problem, paths=tuple(options.paths))
    heads = [*_labels(cohort, folds, options), *_components(problem, cohort, folds, options)]
    if not heads:
        return problem
    rows = _masked_rows(problem, cohort, folds, options) if options.masked_genes else {}
    n, t = problem.targets.shape[1:]

    def joined(name: str) -> torch.Tensor:
        """Values over samples (..., n, x) on the samples, or on their masked copies, which follow them."""
        parts = []
        for head in heads:
            values = getattr(head, name)
            blank = np.zeros((*values.shape[:-2], n if rows else 0, values.shape[-1]), np.float32)
            parts.append(np.concatenate([blank, values] if head.masked else [values, blank], axis=-2))
        return torch.as_tensor(np.concatenate(parts, axis=-1), dtype=torch.float32, device=problem.dense.device)

    roles = Roles(
        main=t,
        gradient_factors=(1.0,) * t + tuple(head.gradient_factor for head in heads for _ in head.tasks),
        balanced=(True,) * t + tuple(head.balanced for head in heads for _ in head.tasks),
        ramp=options.adversary.ramp if options.adversary else 1,
        samples=n,
    )
    tasks = tuple(task for head in heads for task in head.tasks)
    extras = Extras(tasks, joined("targets"), joined("train"), joined("validation"), roles, rows)
    return replace(problem, extras=extras)


def extended(problem: Problem, name: str) -> tuple[Problem, torch.Tensor]:
    """The problem and the inputs ``name`` with the further heads and rows in their places.

    The heads belong to the arms in which tasks are learned together, and to the first arm of a run with one task.
    """
    inputs, extras = getattr(problem, name), problem.extras
    if extras is None:
        return problem, inputs
    t, more = problem.targets.shape[2], extras.targets.shape[1] - problem.targets.shape[1]

    def beside(tasks: torch.Tensor, heads: torch.Tensor) -> torch.Tensor:
        blank = tasks.new_zeros(*tasks.shape[:-2], more, tasks.shape[-1])
        return torch.cat([torch.cat([tasks, blank], dim=-2), heads], dim=-1)

    active = torch.cat([problem.active, problem.active.new_zeros(len(problem.active), len(extras.tasks))], dim=1)
    together = problem.active.sum(1) > 1
    together[0] |= not together.any()
    active[together, t:] = 1
    tasks = {f"{i}": task for i, task in enumerate((*problem.packing.tasks, *extras.tasks))}
    whole = replace(
        problem,
        targets=beside(problem.targets, extras.targets),
        train=beside(problem.train, extras.train),
        validation=beside(problem.validation, extras.validation),
        active=active,
        packing=Outputs.of(tasks),
        roles=extras.roles,
        extras=None,
    )
    return whole, torch.cat([inputs, extras.rows[name]], dim=1) if more else inputs


@dataclass(frozen=True)
class _Heads:
    """Further heads of one kind: targets (f, n, x), weights (f, s, n, x) over samples; see :class:`Extras`."""

    tasks: tuple[Label, ...]
    targets: np.ndarray
    train: np.ndarray
    validation: np.ndarray
    gradient_factor: float = 1.0
    balanced: bool = False
    masked: bool = False


def _labels(cohort: Cohort, folds: list[FoldData], options: Training) -> list[_Heads]:
    heads = []
    if cohort.auxiliary:
        heads.append(_labelled(replace(cohort, tasks=cohort.auxiliary), folds, options, balanced=True))
    if options.adversary:
        info = cohort.covariates[options.adversary.covariate]
        levels = ()
        if info.kind == "categorical":
            levels = tuple(sorted(cohort.obs[info.name].dropna().astype(str).unique()))
        of_adversary = replace(cohort, tasks={info.name: of_covariate(info.name, levels)})
        heads.append(_labelled(of_adversary, folds, options, gradient_factor=-options.adversary.strength))
    return heads


def _labelled(cohort: Cohort, folds: list[FoldData], options: Training, **role) -> _Heads:
    targets = make_targets(cohort, folds)
    weights = replica_weights(cohort, folds, targets, options.seeds)
    return _Heads(tuple(cohort.tasks.values()), targets.values, *weights, **role)


def _components(problem: Problem, cohort: Cohort, folds: list[FoldData], options: Training) -> list[_Heads]:
    k = min(COMPONENTS, problem.dense.shape[2])
    values = problem.dense[..., :k].cpu().numpy()
    everybody = Targets(values, np.ones((values.shape[1], k), bool), np.zeros(0), np.zeros(0))
    train, validation = replica_weights(cohort, folds, everybody, options.seeds)
    heads = []
    for name, strength in (("component", options.reconstruction), ("masked", options.masked_genes)):
        if strength:
            tasks = tuple(Regression(f"{name}{i + 1:02d}") for i in range(k))
            weights = (train * strength / k, validation * strength / k)
            heads.append(_Heads(tasks, values, *weights, masked=name == "masked"))
    return heads


def _masked_rows(problem: Problem, cohort: Cohort, folds: list[FoldData], options: Training) -> dict[str, torch.Tensor]:
    """Scores of the masked copies of all samples, by kind of input."""
    inputs = []
    for data in folds:
        x = data.features.transform(cohort.expression)
        present = np.random.default_rng([options.seed, 41]).random(x.shape) >= MASKED
        inputs.append(data.inputs(x * present / (1 - MASKED)))
    return {
        name: torch.as_tensor(padded([i[name] for i in inputs], scores.shape[2]), device=problem.dense.device)
        for name, scores in (("dense", problem.dense), ("curved", problem.curved))
    }
