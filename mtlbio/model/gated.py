"""The gated part of a supervised dimension: linear experts of which a gate, linear in the same inputs, chooses.

Sharing schemes with gates (:mod:`mtlbio.model.sharing`) cannot be folded into one matrix. Their maps stay on the scores
that they were trained on, a few hundred instead of all genes, behind the basis that all seeds of a fold have in common.
"""

from dataclasses import dataclass, fields, replace

import numpy as np


def weighted(experts: np.ndarray, gates: np.ndarray, squash: str) -> np.ndarray:
    """(..., c) sum over the experts (..., e, c), weighed by gates (..., e, c): "softmax" over e, or "sigmoid"."""
    if squash == "softmax":
        weights = np.exp(gates - gates.max(axis=-2, keepdims=True))
        weights /= weights.sum(axis=-2, keepdims=True)
    else:
        weights = 0.5 * (1 + np.tanh(0.5 * gates))
    return (weights * experts).sum(axis=-2)


@dataclass(frozen=True)
class Gated:
    """``sum_e squash_e(scores @ gate_e + offset_e) (scores @ expert_e)`` of ``scores = inputs @ basis``.

    Attributes
    ----------
    basis : (p, r)
    experts, gates : (s, r, e, c)
    offsets : (s, e, c)
    squash : "softmax" over e, or "sigmoid"
    """

    basis: np.ndarray
    experts: np.ndarray
    gates: np.ndarray
    offsets: np.ndarray
    squash: str

    @classmethod
    def of(cls, basis: np.ndarray, maps: np.ndarray, offsets: np.ndarray, squash: str) -> "Gated":
        """From wide maps (s, r, 2 e c), experts before gates, as :class:`mtlbio.training.replicas.Fitted` has them."""
        s, e, c = offsets.shape
        experts, gates = np.moveaxis(maps.reshape(s, -1, 2, e, c), 2, 0)
        return cls(basis, experts, gates, offsets, squash)

    def values(self, inputs: np.ndarray) -> np.ndarray:
        """(s, n, c) for inputs (n, p)."""
        scores = inputs @ self.basis
        experts, gates = (np.einsum("nr,srec->snec", scores, m, optimize=True) for m in (self.experts, self.gates))
        return weighted(experts, gates + self.offsets[:, None], self.squash)

    def times(self, factor: np.ndarray) -> "Gated":
        """The values times factors (s, c) or (c,)."""
        return replace(self, experts=self.experts * factor[..., None, None, :])


_ARRAYS = tuple(field.name for field in fields(Gated) if field.name != "squash")


@dataclass(frozen=True)
class GatedBlock:
    """What the supervised dimensions of a fold take through gates: from the genes, and from the nonlinear features."""

    dense: Gated
    curved: Gated

    def values(self, genes: np.ndarray, curves: np.ndarray) -> np.ndarray:
        """(s, n, c) for standardised genes (n, p) and nonlinear features (n, m)."""
        return self.dense.values(genes) + self.curved.values(curves)

    def times(self, dense: np.ndarray, curved: np.ndarray) -> "GatedBlock":
        """Each part times its factors (s, c) or (c,)."""
        return GatedBlock(self.dense.times(dense), self.curved.times(curved))

    def arrays(self, prefix: str) -> dict[str, np.ndarray]:
        """What a file keeps, all but ``squash``."""
        parts = {"dense": self.dense, "curved": self.curved}
        return {
            f"{prefix}/{part}/{name}": np.ascontiguousarray(getattr(gated, name), dtype=np.float32)
            for part, gated in parts.items()
            for name in _ARRAYS
        }

    @classmethod
    def read(cls, arrays: dict[str, np.ndarray], prefix: str, squash: str) -> "GatedBlock":
        """From what :meth:`arrays` gave."""

        def part(of: str) -> Gated:
            return Gated(**{name: arrays[f"{prefix}/{of}/{name}"] for name in _ARRAYS}, squash=squash)

        return cls(part("dense"), part("curved"))
