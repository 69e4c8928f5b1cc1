"""The model as the ablation asks it: latents of held-out residues, and what its heads say of changed ones."""

import anndata as ad
import numpy as np

from mtlbio.model.residue_store import ProteinModel
from mtlbio.probing.examinee import NOTHING, WithHeads

FOLDS = 5


class HeldOutResidues(WithHeads):
    """The networks of a protein run with the residues of held-out chains.

    The networks have seen none of these chains, so every fold has the same latents. Folds only keep apart the chains on
    which conditional means and refitted heads are learnt from those on which they are scored.
    """

    saw = NOTHING

    def __init__(self, model: ProteinModel, latents: ad.AnnData):
        self.dims, self.fold = tuple(latents.var_names), folds_of(latents.obs["donor"])
        self.z = np.stack([np.asarray(latents.obsm[f"replica_{r}"], float) for r in range(len(model.networks))])
        self.tasks, self.centre = model.tasks, model.centre
        self.heads: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {name: [] for name in model.tasks}
        for name, pairs in self.heads.items():
            for network, axes in zip(model.networks, model.axes, strict=True):
                head = network.heads[name].state_dict()
                pairs.append(axes.head(head["weight"].numpy(), head["bias"].numpy()))

    def latents(self, fold: int = 0) -> np.ndarray:
        """(replicas, residues, D); of every fold the same."""
        return self.z

    def predict_from_latents(self, task: str, latents: np.ndarray, fold: int = 0) -> np.ndarray:
        """(replicas, n), or (replicas, n, 3) probabilities of helix, strand and coil."""
        info, centre = self.tasks[task], self.centre.get(task, (0.0, 1.0))
        predictions = [
            info.to_prediction(z @ w + b, *centre) for z, (w, b) in zip(latents, self.heads[task], strict=True)
        ]
        return np.stack([info.for_trial(prediction) for prediction in predictions])


def folds_of(chains: np.ndarray, count: int = FOLDS) -> np.ndarray:
    """(residues,) fold of each residue's chain, chains dealt out in the order of their names."""
    place = np.unique(np.asarray(chains).astype(str), return_inverse=True)[1]
    return place % min(count, place.max() + 1)
