"""Training on chains: masked labels, Q3 beside Q8, batches, balancers, determinism."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from mtlbio.kinds.schemas.chains import ResidueTraining
from mtlbio.labels.residues import Accessibility, SecondaryStructure
from mtlbio.labels.residues.alphabet import to_q3
from mtlbio.model.encoders.base import Shape
from mtlbio.model.residues import ResidueNetwork
from mtlbio.sequence.chains import Chains
from mtlbio.sequence.letters import encode
from mtlbio.sequence.simulate import simulate_chains
from mtlbio.training.chains.batches import Reader, make_batches, padded
from mtlbio.training.chains.fit import Parts, fit
from mtlbio.training.chains.steps import Scale, Stepper

STRUCTURE = SecondaryStructure("structure")
EXPOSURE = Accessibility("exposure")


def planted(count: int = 40, seed: int = 0, length: tuple[int, int] = (30, 60)) -> Chains:
    """Planted chains in memory."""
    frame = simulate_chains(count, seed, length)
    letters = [encode(s) for s in frame["sequence"]]
    lengths = [len(x) for x in letters]
    obs = pd.DataFrame({"source": frame["source"], "cluster": frame["cluster"], "part": frame["split"]})
    obs.index = pd.Index(frame["id"], name="chain")
    eight = np.concatenate([["HGIEBTSC".index(s) for s in text] for text in frame["q8"]]).astype(np.uint8)
    rsa = np.concatenate([np.array(text.split(), dtype=np.float32) for text in frame["rsa"]])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    labels = {"structure": eight, "exposure": rsa}
    tasks = {"structure": STRUCTURE, "exposure": EXPOSURE}
    return Chains(
        obs.assign(length=lengths), offsets, np.concatenate(letters), labels, {"structure": to_q3(eight)}, tasks
    )


def network(seed: int = 0, **options) -> ResidueNetwork:
    torch.manual_seed(seed)
    tasks = {"structure": STRUCTURE, "exposure": EXPOSURE}
    return ResidueNetwork(tasks, "cnn", Shape(16, 2, 5, 2, 0.0), latent=6, **options)


def without(chains: Chains, rows: np.ndarray, eight: bool = True, rsa: bool = True, q3: bool = False) -> Chains:
    """The chains with labels of some residues taken away."""
    labels = {name: values.copy() for name, values in chains.labels.items()}
    three = chains.q3["structure"].copy()
    if eight:
        labels["structure"][rows] = 255
    if rsa:
        labels["exposure"][rows] = np.nan
    if q3:
        three[rows] = 255
    return replace(chains, labels=labels, q3={"structure": three})


def loss_sum(task, raw: torch.Tensor, batch):
    return task.loss_sum(raw, batch.labels[task.name], batch.q3.get(task.name))


def test_residues_without_labels_have_no_gradient_and_no_nan():
    chains = planted(10)
    rows = np.zeros(len(chains.letters), dtype=bool)
    rows[::3] = True
    batch = Reader(without(chains, rows, q3=True)).batch(np.arange(10), ("structure", "exposure"))
    gone = torch.from_numpy(np.where(batch.mask, np.pad(rows, (0, 1))[_rows(chains)], True))
    for task in (STRUCTURE, EXPOSURE):
        raw = torch.randn(*batch.mask.shape, task.outputs, requires_grad=True)
        total, count = loss_sum(task, raw, batch)
        total.backward()
        assert int(count) == int((~gone).sum()) and torch.isfinite(raw.grad).all()
        assert not raw.grad[gone].any() and raw.grad[~gone].abs().sum(dim=-1).min() > 0


def _rows(chains: Chains) -> np.ndarray:
    column = np.arange(padded(chains.lengths.max()))
    return np.where(column < chains.lengths[:, None], chains.offsets[:-1, None] + column, -1)


def test_a_residue_of_which_only_q3_is_known_asks_for_the_sum_of_its_states():
    chains = planted(10)
    everything = np.ones(len(chains.letters), dtype=bool)
    batch = Reader(without(chains, everything)).batch(np.arange(3), ("structure",))
    raw = torch.randn(*batch.mask.shape, 8)
    total, count = loss_sum(STRUCTURE, raw, batch)
    share = raw.softmax(-1)
    groups = torch.stack([share[..., :3].sum(-1), share[..., 3:5].sum(-1), share[..., 5:].sum(-1)], dim=-1)
    known = batch.q3["structure"] >= 0
    expected = -groups[known].gather(1, batch.q3["structure"][known][:, None]).log().sum()
    assert float(total) == pytest.approx(float(expected), rel=1e-5) and int(count) == int(known.sum())
    exact = Reader(chains).batch(np.arange(3), ("structure",))
    total, _ = loss_sum(STRUCTURE, raw, exact)
    known = exact.labels["structure"] >= 0
    plain = torch.nn.functional.cross_entropy(raw[known], exact.labels["structure"][known], reduction="sum")
    assert float(total) == pytest.approx(float(plain), rel=1e-5)


def test_a_constant_answer_costs_one():
    chains = planted(20)
    rows = np.ones(len(chains.letters), dtype=bool)
    assert EXPOSURE.null_loss(*chains.labels_at("exposure", rows)) == pytest.approx(
        chains.labels["exposure"].var(), rel=1e-4
    )
    share = np.bincount(chains.labels["structure"], minlength=8) / len(rows)
    entropy = -(share[share > 0] * np.log(share[share > 0])).sum()
    assert STRUCTURE.null_loss(*chains.labels_at("structure", rows)) == pytest.approx(entropy)


def test_batches_hold_every_chain_once_and_keep_to_their_size():
    lengths = np.random.default_rng(0).integers(20, 400, 200)
    for rng in (None, np.random.default_rng(1)):
        batches = make_batches(lengths, np.arange(200), 2000, rng)
        assert sorted(np.concatenate(batches)) == list(range(200))
        sizes = [padded(lengths[b].max()) * len(b) for b in batches]
        assert max(sizes) <= 2000
        assert sum(sizes) < 1.25 * lengths.sum()
    assert make_batches(np.array([5000]), np.arange(1), 100)[0].tolist() == [0]


def test_batches_have_few_shapes_and_little_padding():
    # every shape costs a fused kernel: with one per length a third of the training went into making them
    lengths = np.arange(1, 1001)
    wide = np.array([padded(n) for n in lengths])
    assert (wide >= lengths).all() and (wide < 1.13 * lengths + 1e-9).all() and (np.diff(wide) >= 0).all()
    assert len(np.unique(wide)) < 70


def test_memory_of_a_batch_does_not_grow_with_the_chains():
    peaks = []
    for copies in (1, 8):
        chains = planted(20)
        many = Chains(
            pd.concat([chains.obs] * copies),
            np.concatenate([[0], np.cumsum(np.tile(chains.lengths, copies))]),
            np.tile(chains.letters, copies),
            {name: np.tile(values, copies) for name, values in chains.labels.items()},
            {name: np.tile(values, copies) for name, values in chains.q3.items()},
            chains.tasks,
        )
        reader = Reader(many)
        tracemalloc.start()
        for _ in reader.batches(np.arange(len(many)), 500, ("structure", "exposure")):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0]


def options(**changes) -> ResidueTraining:
    return ResidueTraining(**({"epochs": 4, "batch": 400, "learning_rate": 0.01, "width": 16, "layers": 2} | changes))


def trained(chains: Chains, **changes):
    reader, given = Reader(chains), options(**changes)
    net = network(masked=bool(given.masked_residues))
    parts = Parts(chains.of("train"), chains.of("validation"))
    return fit(net, reader, list(chains.tasks.values()), parts, given, seed=3)


def test_a_network_learns_planted_states_and_the_same_run_gives_the_same_numbers():
    chains = planted(40)
    table = pd.DataFrame(trained(chains, epochs=12, batch=150).history, columns=["epoch", "task", "part", "loss"])
    last = table[(table["epoch"] == 11) & (table["part"] == "validation")].set_index("task")["loss"]
    assert last["structure"] < 0.75 and last["exposure"] < 0.5
    first, again = trained(chains, epochs=2), trained(chains, epochs=2)
    assert first.history == again.history
    for one, other in zip(first.network.parameters(), again.network.parameters(), strict=True):
        assert torch.equal(one, other)
    assert first.gramians and first.gramians[0][1].shape == (2, 2)


def test_chains_without_labels_take_part_only_with_masked_residues():
    chains = planted(20)
    everything = np.ones(len(chains.letters), dtype=bool)
    bare = without(chains, everything & (np.arange(len(everything)) < chains.offsets[10]), q3=True)
    plain, masked = trained(bare, epochs=1), trained(bare, epochs=1, masked_residues=0.5)
    assert plain.network.letter_head is None and masked.network.letter_head is not None


@pytest.mark.parametrize("name", ["uncertainty", "mgda", "famo"])
def test_balancers_weigh_the_tasks_of_a_mini_batch(name):
    chains = planted(20)
    batch = Reader(chains).batch(np.arange(6), ("structure", "exposure"))
    scale = Scale({"structure": 1.5, "exposure": 0.05}, {"structure": 200.0, "exposure": 200.0})
    moved = {}
    for balancing in ("equal", name):
        net = network()
        optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
        stepper = Stepper(net, [STRUCTURE, EXPOSURE], scale, optimiser, options(balancing=balancing))
        for _ in range(3):
            stepper.step(batch)
        moved[balancing] = torch.cat([p.detach().flatten() for p in net.parameters()])
    assert torch.isfinite(moved[name]).all() and (moved[name] - moved["equal"]).abs().max() > 1e-6


def test_a_task_that_is_absent_from_a_mini_batch_does_not_change_the_step():
    chains = planted(20)
    bare = without(chains, np.ones(len(chains.letters), dtype=bool), eight=False)
    moved = []
    for tasks in ([STRUCTURE, EXPOSURE], [STRUCTURE]):
        net = network()
        scale = Scale({"structure": 1.5, "exposure": 0.05}, {"structure": 200.0, "exposure": 200.0})
        optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
        Stepper(net, tasks, scale, optimiser, options(balancing="pcgrad")).step(
            Reader(bare).batch(np.arange(6), tuple(task.name for task in tasks))
        )
        moved.append(torch.cat([p.detach().flatten() for p in net.parameters()]))
    assert torch.allclose(*moved, atol=1e-7)
