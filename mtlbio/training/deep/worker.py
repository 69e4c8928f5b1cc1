"""What each of several processes does: train all folds together with the others, the first one writes what is found."""

import os
import time
from pathlib import Path

import torch
from safetensors.numpy import load_file, save_file
from torch import distributed

from mtlbio.config import Training
from mtlbio.labels import read_label
from mtlbio.training.deep.fold import DeepFold, fit_fold
from mtlbio.training.deep.group import Group
from mtlbio.training.deep.orders import Orders, array_files
from mtlbio.training.stored import put_together, taken_apart

# The process whose end ended the others is to be noticed first.
_SECONDS_AFTER_THE_FIRST = 2.0


def work(folder: str) -> None:
    """Train the folds whose arrays lie in ``folder``; called in every process by torch's launcher."""
    orders = Orders.read(Path(folder))
    torch.set_num_threads(1)
    device = torch.device(orders.device, int(os.environ["LOCAL_RANK"])) if orders.device == "cuda" else None
    device = device or torch.device("cpu")
    if device.type == "cuda":
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        _fit_all(Path(folder), orders, device)
    except RuntimeError:
        time.sleep(_SECONDS_AFTER_THE_FIRST)
        raise
    distributed.destroy_process_group()


def _fit_all(folder: Path, orders: Orders, device: torch.device) -> None:
    group = Group(distributed.get_rank(), distributed.get_world_size())
    tasks = [read_label(saved) for saved in orders.tasks]
    options = Training.model_validate_json(orders.options)
    for i in orders.folds:
        given, found = array_files(folder, i)
        fold = put_together(DeepFold, load_file(given)).to(device)
        fits = fit_fold(fold, tasks, orders.main, orders.seeds, options, orders.kept_networks(i), group)
        if group.rank == 0:
            temporary = found.with_suffix(".part")
            save_file(stored(fits), temporary)
            os.replace(temporary, found)


def stored(value) -> dict:
    """Arrays by name, as safetensors takes them."""
    return {name: array.copy(order="C") for name, array in taken_apart(value).items()}
