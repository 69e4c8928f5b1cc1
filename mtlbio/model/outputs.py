"""How the tasks' outputs are packed side by side, so that one matrix product serves every head.

=========== ======== ======== =============================================================================
kind        columns  outputs  what an output is
=========== ======== ======== =============================================================================
binary      1        1        logit of the positive class
regression  1        1        the standardised value
ordinal     1        K - 1    logits of ``level > k``: one direction, K - 1 thresholds (Cao et al. 2020, CORAL)
multiclass  K        K        logits before the softmax
=========== ======== ======== =============================================================================

A *column* has its own weights on the latents, an *output* its own bias.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mtlbio.cohort.cohort import TaskInfo


@dataclass(frozen=True)
class Outputs:
    """Places of every task in the packed columns and outputs.

    Attributes
    ----------
    tasks : the tasks, in order
    columns, outputs : one slice per task
    expand : (columns, outputs) 0/1: which column feeds which output
    """

    tasks: tuple[TaskInfo, ...]
    columns: tuple[slice, ...]
    outputs: tuple[slice, ...]
    expand: np.ndarray

    @classmethod
    def of(cls, tasks: dict[str, TaskInfo]) -> Outputs:
        """Pack the tasks in their order."""
        columns, outputs, pairs = [], [], []
        column = output = 0
        for task in tasks.values():
            k = len(task.classes)
            n_columns = k if task.kind == "multiclass" else 1
            n_outputs = {"multiclass": k, "ordinal": k - 1}.get(task.kind, 1)
            columns.append(slice(column, column + n_columns))
            outputs.append(slice(output, output + n_outputs))
            pairs += [(column + (o if n_columns > 1 else 0), output + o) for o in range(n_outputs)]
            column, output = column + n_columns, output + n_outputs
        expand = np.zeros((column, output), dtype=np.float32)
        for place in pairs:
            expand[place] = 1.0
        return cls(tuple(tasks.values()), tuple(columns), tuple(outputs), expand)

    @property
    def n_columns(self) -> int:
        """Number of weight columns over all tasks."""
        return self.expand.shape[0]

    @property
    def n_outputs(self) -> int:
        """Number of outputs over all tasks."""
        return self.expand.shape[1]

    @property
    def task_of_column(self) -> np.ndarray:
        """(columns,) index of the task of each column."""
        return np.concatenate([[t] * (s.stop - s.start) for t, s in enumerate(self.columns)]).astype(int)

    @property
    def task_of_output(self) -> np.ndarray:
        """(outputs,) index of the task of each output."""
        return np.concatenate([[t] * (s.stop - s.start) for t, s in enumerate(self.outputs)]).astype(int)


def to_prediction(task: TaskInfo, outputs: np.ndarray, mean: float = 0.0, scale: float = 1.0) -> np.ndarray:
    """What a user reads: probabilities, or values in the task's own units.

    Parameters
    ----------
    task : the task
    outputs : (..., outputs of the task)
    mean, scale : of the target, on the scale that is learnt, on the training donors (regression)

    Returns
    -------
    (...) probability of the positive class (binary) or value (regression); (..., K) class probabilities otherwise.
    """
    if task.kind == "regression":
        return task.told(outputs[..., 0] * scale + mean)
    if task.kind == "binary":
        return _sigmoid(outputs[..., 0])
    if task.kind == "ordinal":
        # thresholds that cross would give negative probabilities
        above = np.minimum.accumulate(_sigmoid(outputs), axis=-1)
        edge = np.ones_like(above[..., :1])
        return -np.diff(np.concatenate([edge, above, 0 * edge], axis=-1), axis=-1)
    shifted = np.exp(outputs - outputs.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * x))
