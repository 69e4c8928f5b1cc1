"""The parameters of many networks of one sharing scheme, stacked, and their gradients task by task."""

from collections.abc import Callable

import torch
from torch.func import vjp, vmap

from mtlbio.model.sharing.scheme import Sharing, combine


class Stack:
    """R networks in one set of tensors: the scheme's ``parameters`` by name (R, ...), and ``bias`` (R, outputs)."""

    def __init__(
        self,
        sharing: Sharing,
        n_inputs: int,
        seeds: list[int],
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ):
        self.sharing, self.packing = sharing, sharing.outputs
        starts = [sharing.start(n_inputs, torch.Generator().manual_seed(seed)) for seed in seeds]
        self.parameters = {name: torch.stack([start[name] for start in starts]).to(device, dtype) for name in starts[0]}
        self.bias = torch.zeros(len(seeds), self.packing.n_outputs, device=device, dtype=dtype)
        self.expand = torch.as_tensor(self.packing.expand, device=device, dtype=dtype)
        self.gated = sharing.squash is not None
        self.task_of_column = torch.as_tensor(self.packing.task_of_column, device=device)
        self.task_of_output = torch.as_tensor(self.packing.task_of_output, device=device)
        self._pull: Callable | None = None
        self.experts = sharing.maps({name: values[0] for name, values in self.parameters.items()}).linear.shape[1]

    @property
    def task_of_map(self) -> torch.Tensor:
        """(m,) task of every column of the wide maps: experts, then their gates, each with the columns side by side."""
        return self.task_of_column.repeat(self.experts * (2 if self.gated else 1))

    def wide(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Maps (R, r, m) and offsets (R, e, c) of the present parameters; :meth:`pull` then takes gradients back."""
        (maps, offsets), self._pull, *_ = vjp(vmap(self._wide_of_one), self.parameters)
        return maps.detach(), offsets.detach()

    def _wide_of_one(self, parameters: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        linear, gate, offset = self.sharing.maps(parameters)
        if gate is None or offset is None:
            return linear.flatten(1), linear.new_zeros(0, self.packing.n_columns)
        return torch.cat([linear.flatten(1), gate.flatten(1)], dim=1), offset

    def values(self, products: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        """(..., n, c) from products (..., n, m) of the inputs with the maps, and offsets (..., e, c)."""
        c = self.packing.n_columns
        if not self.gated:
            return products
        linear, gate = products.unflatten(-1, (2, self.experts, c)).unbind(-3)
        return combine(linear, gate, offsets, self.sharing.squash)

    def pull(self, maps: torch.Tensor, offsets: torch.Tensor) -> dict[str, torch.Tensor]:
        """Gradients of the parameters for gradients of the maps (R, r, m) and offsets (R, e, c)."""
        if self._pull is None:
            raise RuntimeError("pull: there are no maps to come back from; call wide() first")
        return self._pull((maps, offsets))[0]

    def pull_by_task(self, rows: torch.Tensor, maps: torch.Tensor, offsets: torch.Tensor) -> dict[str, torch.Tensor]:
        """The same apart for every task, (T, q, ...), of the networks ``rows`` (q,). A column belongs to one task, so
        no task needs a backward pass over the samples of its own."""
        _, pull, *_ = vjp(vmap(self._wide_of_one), {name: values[rows] for name, values in self.parameters.items()})
        return self._apart(pull, maps, offsets)

    def _apart(self, pull, maps: torch.Tensor, offsets: torch.Tensor) -> dict[str, torch.Tensor]:
        tasks = torch.arange(len(self.packing.tasks), device=maps.device)[:, None]
        of_map, of_offset = (self.task_of_map == tasks).to(maps), (self.task_of_column == tasks).to(maps)
        return vmap(lambda m, o: pull((maps * m, offsets * o))[0])(of_map, of_offset)

    def gramian(self, by_task: dict[str, torch.Tensor]) -> torch.Tensor:
        """(q, T, T) inner products of the tasks' gradients on the shared parameters."""
        flat = (by_task[name].flatten(2) for name in self.sharing.shared)
        return sum((torch.einsum("tqd,uqd->qtu", slopes, slopes) for slopes in flat), start=self.bias.new_zeros(()))

    def representation(
        self, rows: torch.Tensor, inputs: torch.Tensor, products: torch.Tensor, offsets: torch.Tensor
    ) -> torch.Tensor:
        """(q, T, T) inner products of the tasks' gradients on what the shared parameters of the networks ``rows`` (q,)
        make of the samples, from inputs (q, n, r), the gradients of their products (q, n, m) with the maps, and those
        of the offsets."""
        parameters = {name: value[rows] for name, value in self.parameters.items()}
        along = (*self.sharing.shared, *self.sharing.along_inputs)
        rest = {name: value for name, value in parameters.items() if name not in along}
        scores = {name: torch.einsum("qnr,qr...->qn...", inputs, parameters[name]) for name in along}

        def wide_of_one(scores: dict[str, torch.Tensor], rest: dict[str, torch.Tensor]):
            return self._wide_of_one(scores | rest)

        _, pull, *_ = vjp(lambda values: vmap(wide_of_one)(values, rest), scores)
        return self.gramian(self._apart(pull, products, offsets))

    def shrink(self, rate: float, present: torch.Tensor) -> None:
        """The penalty's step in every network, after that of the loss; nothing without one. ``present`` (R, T)."""
        if not self.sharing.strength:
            return
        step = rate * self.sharing.strength
        self.parameters |= vmap(lambda values, here: self.sharing.shrink(values, step, here))(self.parameters, present)

    def move(self, gradient: dict[str, torch.Tensor], bias: torch.Tensor, rate: float) -> None:
        """One step down."""
        for name, slope in gradient.items():
            self.parameters[name] = self.parameters[name] - rate * slope
        self.bias = self.bias - rate * bias
