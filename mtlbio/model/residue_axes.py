"""Canonical axes of h_t: the invertible map that makes its dimensions simple in terms of letters around the residue.

The heads absorb any invertible map of h_t, so its raw dimensions mean nothing. It is whitened on training residues and
turned by varimax on its loadings: the covariances with the twenty letters at the fifteen places around the residue
(Rohe & Zeng 2023, JRSS-B 85:1037, with letters for genes). Predictions stay the same.
"""

from dataclasses import dataclass

import numpy as np

from mtlbio.model.rotation import varimax
from mtlbio.sequence.letters import AMINO_ACIDS, UNKNOWN

REACH = 7  # residues on either side whose letters make up the loadings


@dataclass(frozen=True)
class ResidueAxes:
    """z = (h - mean) @ turn, with mean square 1 on training residues.

    Attributes
    ----------
    mean : (latent,), ``turn`` : (latent, D), ``back`` : (D, latent) with h = mean + z @ back
    loadings : (D, 20 (2 REACH + 1)) covariance of z with the letters around a residue, named by :func:`window_names`
    variance : (D,) share of the variance of h that goes with each dimension
    """

    mean: np.ndarray
    turn: np.ndarray
    back: np.ndarray
    loadings: np.ndarray
    variance: np.ndarray

    def __call__(self, latents: np.ndarray) -> np.ndarray:
        """(n, latent) -> (n, D)."""
        return (np.asarray(latents, dtype=np.float64) - self.mean) @ self.turn

    def head(self, weight: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Linear head (outputs, latent), (outputs,) on h_t -> the same on z: (D, outputs), (outputs,)."""
        weight = np.asarray(weight, dtype=np.float64)
        return self.back @ weight.T, np.asarray(bias, dtype=np.float64) + weight @ self.mean


def window_names() -> list[str]:
    """Names of the columns of the loadings: ``L-2`` is leucine two residues before, ``L+0`` the residue itself."""
    return [f"{letter}{place:+d}" for place in range(-REACH, REACH + 1) for letter in AMINO_ACIDS]


def window_letters(letters: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(residues, 20 (2 REACH + 1)) float32 indicators of the letters around every residue, 0 beyond the chain's ends,
    from the codes (residues,) of chains one after the other, which begin at ``offsets`` (chains + 1,)."""
    n = len(letters)
    owner = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    out = np.zeros((n, 2 * REACH + 1, UNKNOWN), dtype=np.float32)
    row = np.arange(n)
    for k, shift in enumerate(range(-REACH, REACH + 1)):
        place = row + shift
        inside = (place >= 0) & (place < n)
        inside[inside] &= owner[place[inside]] == owner[row[inside]]
        inside[inside] &= letters[place[inside]] < UNKNOWN
        out[row[inside], k, letters[place[inside]]] = 1.0
    return out.reshape(n, -1)


def find_axes(latents: np.ndarray, window: np.ndarray) -> ResidueAxes:
    """Axes of one replica from h_t (n, latent) of training residues and their :func:`window_letters`.

    Directions in which h_t does not vary have no axis, so D may be smaller than the width of h_t.
    """
    latents = np.asarray(latents, dtype=np.float64)
    mean = latents.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(latents - mean, rowvar=False, bias=True))
    varies = values > 1e-8 * values[-1]
    values, vectors = values[varies][::-1], vectors[:, varies][:, ::-1]
    white, colour = vectors / np.sqrt(values), (vectors * np.sqrt(values)).T
    centred = window - window.mean(axis=0)
    rotation = varimax(centred.T @ ((latents - mean) @ white) / len(latents))
    turn, back = white @ rotation, rotation.T @ colour
    variance = np.square(back).sum(axis=1) / values.sum()
    order = np.argsort(-variance, kind="stable")
    turn, back = turn[:, order], back[order]
    loadings = (centred.T @ ((latents - mean) @ turn) / len(latents)).T
    sign = np.sign((loadings**3).sum(axis=1))
    sign[sign == 0] = 1.0
    return ResidueAxes(mean, turn * sign, back * sign[:, None], loadings * sign[:, None], variance[order])


def matched(axes: list[ResidueAxes], latents: list[np.ndarray]) -> list[ResidueAxes]:
    """Axes of every replica, turned onto those of the first (orthogonal Procrustes, Schonemann 1966).

    Replicas that hold the same directions of h_t may still be turned differently by varimax; what a dimension is, is
    decided by the first replica, and the others are asked for their best counterpart of all of them at once.
    ``latents`` are h_t of the same training residues from every replica.
    """
    reference = axes[0](latents[0])
    turned = [axes[0]]
    for replica, h in zip(axes[1:], latents[1:], strict=True):
        left, _, right = np.linalg.svd(replica(h).T @ reference, full_matrices=False)
        turn = left @ right
        back = turn.T @ replica.back if turn.shape[0] == turn.shape[1] else np.linalg.pinv(replica.turn @ turn)
        variance = np.square(back).sum(axis=1) / np.square(replica.back).sum() * replica.variance.sum()
        turned.append(ResidueAxes(replica.mean, replica.turn @ turn, back, turn.T @ replica.loadings, variance))
    return turned


def stability(z: np.ndarray) -> np.ndarray:
    """(D,) median absolute correlation of a dimension between replicas, z (replicas, n, D); NaN with one replica.

    On held-out residues, so that the turn onto the reference was not fitted to them.
    """
    if len(z) < 2:
        return np.full(z.shape[2], np.nan)
    scaled = (z - z.mean(axis=1, keepdims=True)) / np.maximum(z.std(axis=1, keepdims=True), 1e-12)
    pairs = [np.abs((scaled[a] * scaled[b]).mean(axis=0)) for a in range(len(z)) for b in range(a)]
    return np.median(pairs, axis=0)
