"""What a supervised dimension takes from the deep trunk: residual networks that a file keeps, applied in numpy.

The layers are those of :mod:`mtlbio.training.deep.trunk`: ``h = silu(x W + b)``, then blocks
``h + silu(norm(h) W1 + b1) W2 + b2`` (He et al. 2016, CVPR; normalised before the layers, Xiong et al. 2020, ICML),
then the maps of the sharing scheme, gated or not. A task's network is that of its own best epoch; tasks that were best
together have one in common.
"""

from dataclasses import dataclass, replace

import numpy as np

from mtlbio.model.gated import weighted

EPSILON = 1e-5  # of the normalisation
BLOCK = ("scale", "shift", "weight1", "bias1", "weight2", "bias2")  # arrays of a residual block

Network = dict[str, np.ndarray]  # its arrays by name: layers, then maps (h, e, c), gates and offsets where there are


def silu(values: np.ndarray) -> np.ndarray:
    """``x * sigmoid(x)``, which no size of x overflows."""
    return values * 0.5 * (1 + np.tanh(0.5 * values))


def hidden(network: Network, scores: np.ndarray) -> np.ndarray:
    """(n, h) last layer for scores (n, r)."""
    h, k = silu(scores @ network["in_weight"] + network["in_bias"]), 0
    while f"block{k}_scale" in network:
        scale, shift, w1, b1, w2, b2 = (network[f"block{k}_{name}"] for name in BLOCK)
        centred = h - h.mean(axis=1, keepdims=True)
        unit = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + EPSILON)
        h = h + silu((unit * scale + shift) @ w1 + b1) @ w2 + b2
        k += 1
    return h


def columns_of(network: Network, scores: np.ndarray, squash: str | None) -> np.ndarray:
    """(n, c) values of the output columns."""
    last = hidden(network, scores)
    linear = np.einsum("nh,hec->nec", last, network["linear"], optimize=True)
    if squash is None:
        return linear[:, 0]
    gates = np.einsum("nh,hec->nec", last, network["gate"], optimize=True) + network["offset"]
    return weighted(linear, gates, squash)


@dataclass(frozen=True)
class DeepBlock:
    """The deep part of one fold; p genes, r scores, s seeds, c columns.

    Attributes
    ----------
    basis : (p, r) what the trunk reads
    factor : (s, c) of every column; 0 where no task takes anything
    networks : of every seed, those of the epochs at which some task was best
    place : (s, c) which of them a column has, -1 for none
    squash : how gates become weights; None where the sharing scheme has none
    """

    basis: np.ndarray
    factor: np.ndarray
    networks: list[list[Network]]
    place: np.ndarray
    squash: str | None

    def values(self, standardised: np.ndarray) -> np.ndarray:
        """(s, n, c) for standardised genes (n, p)."""
        scores = standardised @ self.basis
        found = np.zeros((len(self.place), len(scores), self.place.shape[1]))
        for s, networks in enumerate(self.networks):
            for k, network in enumerate(networks):
                own = self.place[s] == k
                if own.any():
                    found[s][:, own] = columns_of(network, scores, self.squash)[:, own]
        return found * self.factor[:, None]

    def times(self, factor: np.ndarray) -> "DeepBlock":
        """The values times factors (s, c) or (c,)."""
        return replace(self, factor=self.factor * factor)

    def used(self) -> "DeepBlock | None":
        """Without the networks that no column takes anything from; None where that is all of them."""
        place, networks = np.where(self.factor != 0, self.place, -1), []
        if (place < 0).all():
            return None
        for s, all_of_seed in enumerate(self.networks):
            kept = sorted(set(place[s][place[s] >= 0].tolist()))
            networks.append([all_of_seed[k] for k in kept])
            place[s] = [kept.index(k) if k >= 0 else -1 for k in place[s].tolist()]
        return replace(self, networks=networks, place=place)

    def arrays(self, prefix: str) -> dict[str, np.ndarray]:
        """What a file keeps, all but ``squash``."""
        named = {f"{s}/{k}/{name}": array for s, k, network in self._each() for name, array in network.items()}
        named |= {"basis": self.basis, "factor": self.factor}
        kept = {f"{prefix}/{name}": np.ascontiguousarray(array, dtype=np.float32) for name, array in named.items()}
        return kept | {f"{prefix}/place": self.place.astype(np.int64)}

    def _each(self):
        return ((s, k, network) for s, networks in enumerate(self.networks) for k, network in enumerate(networks))

    @classmethod
    def read(cls, arrays: dict[str, np.ndarray], prefix: str, squash: str | None) -> "DeepBlock | None":
        """From what :meth:`arrays` gave; None where it gave nothing."""
        if f"{prefix}/place" not in arrays:
            return None
        place = arrays[f"{prefix}/place"]
        networks: list[list[Network]] = [[{} for _ in range(of_seed.max() + 1)] for of_seed in place]
        for key, array in arrays.items():
            s, _, rest = key.removeprefix(f"{prefix}/").partition("/")
            if key.startswith(f"{prefix}/") and rest:
                k, _, name = rest.partition("/")
                networks[int(s)][int(k)][name] = array
        return cls(arrays[f"{prefix}/basis"], arrays[f"{prefix}/factor"], networks, place, squash)
