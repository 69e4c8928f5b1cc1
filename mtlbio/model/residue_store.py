"""A trained protein model on disk: ``model/weights.safetensors`` and ``model/model.json``."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from mtlbio.errors import InputError
from mtlbio.files import replacing
from mtlbio.labels.residues import ResidueLabel, read_residue_label
from mtlbio.model.encoders.base import Shape
from mtlbio.model.residue_axes import ResidueAxes
from mtlbio.model.residues import ResidueNetwork

FORMAT = 1
_AS_THEY_ARE = ("encoder", "latent", "letters", "wide", "masked", "training")  # written under their names


@dataclass
class ProteinModel:
    """Replicas of the multi-task arm with the axes of each.

    Attributes
    ----------
    networks, axes : one per replica
    tasks : by name
    centre : task -> (mean, scale) of a regression's training labels
    shape, encoder, latent : of the networks
    letters : how amino acids are written
    wide : names of the sources of further numbers -> width
    masked : whether there is a head that tells masked letters
    training : options that it was trained with
    """

    networks: list[ResidueNetwork]
    axes: list[ResidueAxes]
    tasks: dict[str, ResidueLabel]
    centre: dict[str, tuple[float, float]]
    shape: Shape
    encoder: str
    latent: int
    letters: str
    wide: dict[str, int]
    masked: bool
    training: dict


def save_model(model: ProteinModel, folder: Path) -> None:
    """Write the model; an earlier one is replaced as a whole."""
    from safetensors.numpy import save_file

    arrays: dict[str, np.ndarray] = {}
    for r, (network, axes) in enumerate(zip(model.networks, model.axes, strict=True)):
        arrays |= {f"{r}/network/{key}": value.cpu().numpy() for key, value in network.state_dict().items()}
        arrays |= {f"{r}/axes/{key}": np.asarray(value) for key, value in vars(axes).items()}
    description = {
        "kind": "protein",
        "format": FORMAT,
        "replicas": len(model.networks),
        "tasks": [task.saved() for task in model.tasks.values()],
        "centre": model.centre,
        "shape": asdict(model.shape),
    }
    description |= {name: getattr(model, name) for name in _AS_THEY_ARE}
    with replacing(folder) as temporary:
        temporary.mkdir()
        save_file({k: np.ascontiguousarray(v) for k, v in sorted(arrays.items())}, temporary / "weights.safetensors")
        (temporary / "model.json").write_text(json.dumps(description, indent=1) + "\n", encoding="utf-8")


def load_model(folder: str | Path) -> ProteinModel:
    """Read what :func:`save_model` wrote.

    Raises
    ------
    InputError
        There is no protein model in the folder.
    """
    import torch
    from safetensors.numpy import load_file

    folder = Path(folder)
    path = folder / "model.json"
    saved = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if saved.get("kind") != "protein":
        raise InputError(f"{folder}: no protein model in it; `mtlbio train` of a run of kind protein writes one")
    arrays = load_file(folder / "weights.safetensors")
    tasks = {task["name"]: read_residue_label(task) for task in saved["tasks"]}
    shape, wide = Shape(**saved["shape"]), sum(width + 1 for width in saved["wide"].values())
    networks, axes = [], []
    for r in range(saved["replicas"]):
        network = ResidueNetwork(
            tasks, saved["encoder"], shape, saved["latent"], saved["letters"], wide, saved["masked"]
        )
        network.load_state_dict({k: torch.from_numpy(v) for k, v in _below(f"{r}/network/", arrays).items()})
        networks.append(network.eval())
        axes.append(ResidueAxes(**_below(f"{r}/axes/", arrays)))
    centre = {name: tuple(values) for name, values in saved["centre"].items()}
    return ProteinModel(networks, axes, tasks, centre, shape, **{name: saved[name] for name in _AS_THEY_ARE})


def _below(prefix: str, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays whose names begin so, by the rest of their names."""
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}
