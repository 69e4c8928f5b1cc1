"""One deep network: mini-batches, AdamW on a cosine, and what it was at every task's best epoch."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from mtlbio.choices.multitask import MultitaskOptions
from mtlbio.config.training import Deep, Shape
from mtlbio.model.deep import Network
from mtlbio.model.outputs import Outputs
from mtlbio.model.sharing.make import make_sharing
from mtlbio.training.deep.group import ALONE, Group
from mtlbio.training.deep.steps import Batch, Steps
from mtlbio.training.deep.trunk import Parameters, columns_of, hidden, start
from mtlbio.training.losses import task_losses

# A validation loss counts as better from here on.
_BETTER = 1e-5


@dataclass(frozen=True)
class Data:
    """What one network is fitted to; n samples, r inputs, t tasks, o outputs.

    Attributes
    ----------
    inputs : (n, r)
    targets : (n, t), any number where the label is missing
    train, validation : (n, t) weights that sum to 1 over n, or are all 0; 0 for tasks that the arm does not train
    order : (n,) rows in an order that does not depend on theirs: batches are drawn along it
    packing : places of the tasks
    main : so many tasks, the first ones, decide when to stop; the others only serve them
    further : columns, the last ones, of the others
    """

    inputs: torch.Tensor
    targets: torch.Tensor
    train: torch.Tensor
    validation: torch.Tensor
    order: torch.Tensor
    packing: Outputs
    main: int
    further: int = 0


@dataclass(frozen=True)
class Trained:
    """A network at every task's best epoch.

    Attributes
    ----------
    outputs : (n, o) of all samples
    networks : at the epochs at which some task was best
    place : (c,) which of them a column has
    bias : (o,)
    best_epoch : (t,)
    left : mean over the trained tasks of the best validation loss, relative to that of a constant
    """

    outputs: torch.Tensor
    networks: list[Network]
    place: np.ndarray
    bias: np.ndarray
    best_epoch: np.ndarray
    left: float


def half_precision(device: torch.device) -> bool:
    """Whether layers run in bfloat16 in training."""
    return device.type == "cuda"


def fit_network(
    data: Data,
    options: Deep,
    shape: Shape,
    multitask: MultitaskOptions,
    block: int,
    seed: int,
    group: Group = ALONE,
) -> Trained:
    """Train one network; ``block`` is the width of the sharing scheme's trunk on the last layer.

    All processes of a ``group`` call this with the same values, and all get the same network.

    A task stops after ``patience`` epochs without a better validation loss and keeps what the network was at its best.
    On a GPU the layers run in bfloat16; losses, parameters and what is kept are in single precision.
    """
    device, packing = data.inputs.device, data.packing
    sharing = make_sharing(multitask.sharing, packing, block, multitask.sharing_strength)
    sharing.further = data.further
    layers = start(data.inputs.shape[1], shape, seed)
    own = sharing.start(shape.width, torch.Generator().manual_seed(seed)) | {"bias": torch.zeros(packing.n_outputs)}
    at: Parameters = {name: v.to(device).clone().requires_grad_() for name, v in (layers | own).items()}
    shared_names = [*layers, *sharing.shared]
    own_names = [name for name in own if name not in sharing.shared]
    decays = [v for name, v in at.items() if v.ndim > 1]
    groups = [{"params": decays, "weight_decay": options.weight_decay}]
    groups += [{"params": [v for v in at.values() if v.ndim < 2], "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, options.learning_rate)
    expand = torch.as_tensor(packing.expand, device=device).to(data.inputs.dtype)

    def forward(values: Parameters, rows: torch.Tensor, draws: Callable[[int], torch.Tensor] | None = None):
        """Last layer and outputs of those of the rows that are this process's."""
        with torch.autocast(device.type, torch.bfloat16, enabled=half_precision(device) and draws is not None):
            last = hidden(values, data.inputs[rows[group.share(len(rows))]], shape, draws)
        return last, columns_of(sharing, values, last.to(expand.dtype)) @ expand + values["bias"]

    def outputs_of(rows: torch.Tensor) -> torch.Tensor:
        """(n, o) of all rows; nothing is left out, nothing recorded."""
        with torch.no_grad():
            return group.whole(forward(at, rows)[1], len(rows))

    def losses(outputs: torch.Tensor, rows: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """(t,) weighted losses of the rows."""
        weighed = weights[rows]
        return (task_losses(outputs, data.targets[rows], weighed, packing) * weighed).sum(0)

    rows, validates = (data.order[(w[data.order] > 0).any(1)] for w in (data.train, data.validation))
    trained, validated = ((w > 0).any(0) for w in (data.train, data.validation))
    steps_per_epoch = max(1, -(-len(rows) // options.batch))
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, options.epochs * steps_per_epoch)
    names = tuple(task.name for task in packing.tasks)
    steps = Steps(multitask, names, int(trained.sum()) > 1, seed, device, group)
    put_together = group.whole if steps.reads_losses or packing.reads_weights else group.placed
    dropping = torch.Generator(device).manual_seed(seed)

    def draws_of(n: int) -> Callable[[int], torch.Tensor]:
        """Dropout of n samples: every process draws for all of them and takes its own, whatever their number."""
        return lambda units: torch.rand(n, units, generator=dropping, device=device)[group.share(n)]

    looked = validates if validated.any() else rows
    weights = data.validation if validated.any() else data.train

    def look() -> torch.Tensor:
        """(t,) validation losses; of a task without validation samples, the mean of the others'."""
        with torch.no_grad():
            found = losses(outputs_of(looked), looked, weights)
            group.as_first([found])
        seen = (weights > 0).any(0)
        return torch.where(seen, found, found[seen].mean() if seen.any() else 0.0)

    first = best = look()
    going, best_epoch = trained.clone(), torch.zeros(len(names), dtype=torch.long, device=device)
    kept: list[Parameters] = [{name: value.detach().clone() for name, value in at.items()}]
    place = torch.zeros(len(names), dtype=torch.long, device=device)
    for epoch in range(1, options.epochs + 1):
        shuffled = rows[torch.as_tensor(np.random.default_rng([seed, epoch]).permutation(len(rows)), device=device)]
        for batch in shuffled.tensor_split(steps_per_epoch):
            last, outputs = forward(at, batch, draws_of(len(batch)))
            whole = put_together(outputs.detach(), len(batch)).requires_grad_()
            of_batch = losses(whole, batch, data.train) * (len(rows) / max(1, len(batch)))
            present = going & (data.train[batch] > 0).any(0)
            shared, alone = ([at[name] for name in part] for part in (shared_names, own_names))
            slopes = steps.gradients(Batch(last, outputs, whole, of_batch, present), shared, alone)
            for value, slope in zip([*shared, *alone], slopes, strict=True):
                value.grad = slope
            optimiser.step()
            rate = float(falling.get_last_lr()[0])
            falling.step()
            if sharing.strength:
                with torch.no_grad():
                    apart = {name: at[name].detach() for name in own if name != "bias"}
                    for name, value in sharing.shrink(apart, rate * sharing.strength, present).items():
                        at[name].copy_(value)
            if steps.reads_after:
                with torch.no_grad():
                    steps.after(losses(outputs_of(batch), batch, data.train) * (len(rows) / max(1, len(batch))))
        group.as_first([*at.values()])
        valid = look()
        better = going & (valid < best - _BETTER)
        if better.any():
            kept.append({name: value.detach().clone() for name, value in at.items()})
            place[better], best_epoch[better] = len(kept) - 1, epoch
            best = torch.where(better, valid, best)
        going = going & (epoch - best_epoch < options.patience)
        going = going & going[: data.main].any()
        if not going.any():
            break
    left = (best / first.clamp_min(1e-12))[: data.main][trained[: data.main]]
    return _gathered(data, kept, place, best_epoch, sharing, shape, float(left.mean()) if len(left) else 1.0, group)


def _gathered(
    data: Data, kept: list[Parameters], place, best_epoch, sharing, shape: Shape, left: float, group: Group
) -> Trained:
    packing, device = data.packing, data.inputs.device
    expand = torch.as_tensor(packing.expand, device=device).to(data.inputs.dtype)
    everywhere = sorted(set(place[: data.main].tolist()))
    outputs = data.inputs.new_zeros(len(data.inputs), packing.n_outputs)
    bias, networks = np.zeros(packing.n_outputs, np.float32), []
    with torch.no_grad():
        for k in everywhere:
            values = kept[k]
            last = hidden(values, data.inputs[group.share(len(data.inputs))], shape)
            of_network = columns_of(sharing, values, last) @ expand + values["bias"]
            of_network = group.whole(of_network, len(data.inputs))
            for t in (place[: data.main] == k).nonzero().ravel().tolist():
                outputs[:, packing.outputs[t]] = of_network[:, packing.outputs[t]]
                bias[packing.outputs[t]] = values["bias"][packing.outputs[t]].cpu().numpy()
            layers = {name: value for name, value in values.items() if name.startswith(("in_", "block"))}
            maps = dict(zip(("linear", "gate", "offset"), sharing.maps(values), strict=True))
            named = layers | {name: value for name, value in maps.items() if value is not None}
            networks.append({name: np.array(value.cpu().numpy(), order="C") for name, value in named.items()})
    of_task = np.array([everywhere.index(k) if k in everywhere else 0 for k in place.tolist()])
    of_columns = of_task[packing.task_of_column]
    return Trained(outputs, networks, of_columns, bias, best_epoch.cpu().numpy(), left)
