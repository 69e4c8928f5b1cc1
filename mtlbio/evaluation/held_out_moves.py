"""What a donor moves: predictions of others that are held out themselves, with its labels and without them.

A prediction of somebody whose label was fitted hardly moves where the fit runs through every label, whatever else is
left out. So the model is asked of every donor j without j, and again without j and donor i: both are refits in closed
form. Without the labels J, the matrix ``C = X U`` by which labels answer to each other becomes ``C + C_.J B_J C_J.``
with ``B_J`` the inverse of ``1/W_J - C_JJ``, the residuals become ``e + C_.J B_J e_J``, and what leaving out I does
then follows as for one group (:mod:`mtlbio.evaluation.coupled`).
"""

from collections.abc import Iterator, Sequence

import numpy as np

from mtlbio.evaluation.coupled import CoupledRidge


class Removals:
    """Groups of labels, one of each donor, which are left out one at a time.

    ``groups`` : (G) places among the labels of ``fit``; may be empty
    """

    def __init__(self, fit: CoupledRidge, groups: Sequence[np.ndarray]):
        self.fit = fit
        size = max(1, *map(len, groups))
        self.there = np.arange(size) < np.array([len(rows) for rows in groups])[:, None]
        self.rows = np.zeros((len(groups), size), dtype=int)
        self.rows[self.there] = np.concatenate(groups)
        self.blocks = np.tile(np.eye(size), (len(groups), 1, 1))
        for block, rows in zip(self.blocks, groups, strict=True):
            block[: len(rows), : len(rows)] = fit.block(rows)

    def moves(self, answer: np.ndarray, residual: np.ndarray, pull: np.ndarray, inverse: np.ndarray) -> np.ndarray:
        """(G, T) what is added to T predictions.

        Parameters
        ----------
        answer : (N, T) of the predictions to every label, residual : (N,), both without J
        pull : (N, m) ``C_.J``; inverse : (m, m) ``B_J``
        """
        there = self.there[:, :, None]
        beside = np.where(there, pull[self.rows], 0.0)
        block = self.blocks - beside @ inverse @ beside.transpose(0, 2, 1)
        solved = np.linalg.solve(block, np.where(there, residual[self.rows][:, :, None], 0.0))
        return -(np.where(there, answer[self.rows], 0.0) * solved).sum(axis=1)


def held_out_moves(
    fit: CoupledRidge, held: Sequence[np.ndarray], samples: Sequence[np.ndarray], removals: Sequence[Removals]
) -> Iterator[list[np.ndarray]]:
    """For every donor that is held out, what each removal of others adds to its predictions.

    ``held``: places of the labels of every donor that is held out, ``samples``: of its samples, over which predictions
    are averaged. Gives (G, T) per entry of ``removals``; of the donor itself it means nothing.
    """
    for rows, own in zip(held, samples, strict=True):
        flat = fit.pull.reshape(-1, fit.shape[1])
        answers = {s: (flat @ fit.design[s]).reshape(-1, fit.shape[0]) for s in own}  # (N, T) each
        answer = sum(answers.values()) / len(own)
        labels = zip(fit.samples[rows], fit.targets[rows], strict=True)
        pull = (
            np.array([answers[s][:, t] for s, t in labels]).reshape(len(rows), -1 if len(rows) else len(fit.samples)).T
        )
        inverse = np.linalg.inv(fit.block(rows))
        without = answer + pull @ inverse @ answer[rows]
        residual = fit.residual + pull @ (inverse @ fit.residual[rows])
        yield [removal.moves(without, residual, pull, inverse) for removal in removals]
