"""Where networks are trained."""

from __future__ import annotations

from mtlbio.errors import InputError


def choose_device(wanted: str) -> str:
    """``auto`` takes a GPU where there is one.

    Raises
    ------
    InputError
        ``cuda`` where torch sees no GPU.
    """
    import torch

    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise InputError("training.device: found 'cuda', but torch sees no GPU here; valid: auto, cpu")
    return "cuda" if there and wanted != "cpu" else "cpu"
