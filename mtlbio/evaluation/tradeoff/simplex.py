"""Preferences: points on the simplex of the tasks' weights."""

import numpy as np
from scipy.stats import qmc

from mtlbio.errors import InputError


def preferences_of(tasks: int, count: int) -> np.ndarray:
    """(count, tasks) weights that sum to 1: every task alone, all alike, and others evenly between.

    Of two tasks they are evenly spaced. Of more, the corners, the centre, and points of a Halton sequence, of whose
    exponentials the shares are uniform on the simplex (Devroye 1986, chapter XI.2). An even ``count`` of two tasks has
    no centre of its own: its row nearest to the centre gives way.

    Raises
    ------
    InputError
        Fewer points than corners and centre.

    Examples
    --------
    >>> preferences_of(2, 5).tolist()
    [[0.0, 1.0], [0.25, 0.75], [0.5, 0.5], [0.75, 0.25], [1.0, 0.0]]
    """
    if count < tasks + 1:
        raise InputError(
            f"--preferences: found {count}; expected {tasks + 1} or more, every one of the {tasks} tasks alone and all "
            "alike"
        )
    if tasks == 2:
        one = np.linspace(0, 1, count)
        if count % 2 == 0:
            one[count // 2] = 0.5
        return np.column_stack([one, 1 - one])
    inside = qmc.Halton(tasks, scramble=False).random(count - tasks)[1:]  # the first point is the origin
    drawn = -np.log1p(-inside)
    return np.vstack([np.eye(tasks), np.full((1, tasks), 1 / tasks), drawn / drawn.sum(axis=1, keepdims=True)])
