"""How the tasks' outputs are packed side by side, so that one matrix product serves every head.

A *column* has its own weights on the latents, an *output* its own bias. How many of either a label has, and what they
are, is known to its kind (:mod:`mtlbio.labels`): one logit, a logit per class, K - 1 thresholds on one direction.
"""

from dataclasses import dataclass

import numpy as np

from mtlbio.labels import Label


@dataclass(frozen=True)
class Outputs:
    """Places of every task in the packed columns and outputs, a slice of either per task; ``expand`` (columns, outputs)
    0/1 says which column feeds which output."""

    tasks: tuple[Label, ...]
    columns: tuple[slice, ...]
    outputs: tuple[slice, ...]
    expand: np.ndarray

    @classmethod
    def of(cls, tasks: dict[str, Label]) -> "Outputs":
        """Pack the tasks in their order."""
        n_columns, n_outputs = [task.n_columns for task in tasks.values()], [task.n_outputs for task in tasks.values()]
        columns, outputs = _side_by_side(n_columns), _side_by_side(n_outputs)
        expand = np.zeros((sum(n_columns), sum(n_outputs)), dtype=np.float32)
        for task, column, output in zip(tasks.values(), columns, outputs, strict=True):
            expand[column, output] = np.eye(task.n_columns) if task.n_columns > 1 else 1.0
        return cls(tuple(tasks.values()), columns, outputs, expand)

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
        return np.repeat(np.arange(len(self.tasks)), [task.n_columns for task in self.tasks])

    @property
    def task_of_output(self) -> np.ndarray:
        """(outputs,) index of the task of each output."""
        return np.repeat(np.arange(len(self.tasks)), [task.n_outputs for task in self.tasks])

    @property
    def reads_weights(self) -> bool:
        """Whether the loss of any task depends on the weights of other samples."""
        return any(task.reads_weights for task in self.tasks)


def _side_by_side(sizes: list[int]) -> tuple[slice, ...]:
    stops = np.cumsum(sizes).tolist()
    return tuple(slice(stop - size, stop) for size, stop in zip(sizes, stops, strict=True))
