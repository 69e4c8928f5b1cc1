"""Where networks are trained."""

from mtlbio.errors import InputError


def choose_device(device: str) -> str:
    """``auto`` takes a GPU where there is one.

    Raises
    ------
    InputError
        ``cuda`` where torch sees no GPU.
    """
    import torch

    has_gpu = torch.cuda.is_available()
    if device == "cuda" and not has_gpu:
        raise InputError("training.device: found 'cuda', but torch sees no GPU here; valid: auto, cpu")
    return "cuda" if has_gpu and device != "cpu" else "cpu"
