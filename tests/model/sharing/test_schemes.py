"""What holds for every sharing scheme: how it starts, what it shares, and that it is linear along its inputs."""

from __future__ import annotations

import pytest
import torch
from fabricated import TASKS

from benchmarks.speed.shared_encoder import SharedEncoder
from mtlbio.choices.sharing import SHARING
from mtlbio.errors import InputError
from mtlbio.model.outputs import Outputs
from mtlbio.model.sharing.make import make_sharing, registered
from mtlbio.model.sharing.scheme import Sharing, combine

PACKING = Outputs.of(TASKS)
R, WIDTH, N = 12, 6, 20
every = pytest.mark.parametrize("name", SHARING)
gated = ("mmoe", "ple", "attention")


def network(name: str, seed: int = 0) -> SharedEncoder:
    return SharedEncoder(R, WIDTH, PACKING, seed, make_sharing(name, PACKING, WIDTH))


def inputs() -> torch.Tensor:
    return torch.randn(N, R, generator=torch.Generator().manual_seed(0))


def trained(name: str) -> dict[str, torch.Tensor]:
    """Any parameters of the scheme, none of them zero."""
    draw = torch.Generator().manual_seed(1)
    start = make_sharing(name, PACKING, WIDTH).start(R, draw)
    return {key: torch.randn(value.shape, generator=draw).requires_grad_() for key, value in start.items()}


def values_of(sharing: Sharing, own: dict[str, torch.Tensor]) -> torch.Tensor:
    linear, gate, offset = sharing.maps(own)
    gate = None if gate is None else torch.einsum("nr,rec->nec", inputs(), gate)
    return combine(torch.einsum("nr,rec->nec", inputs(), linear), gate, offset, sharing.squash)


@every
def test_an_untrained_network_says_nothing(name):
    assert (network(name)(inputs()) == 0).all()


@every
def test_the_first_step_is_that_of_hard_sharing(name, monkeypatch):
    """A learning rate means the same under every scheme; what is random about a start is left out."""
    monkeypatch.setattr(Sharing, "draws", lambda self, rows, generator: torch.zeros(rows, PACKING.n_columns))
    slopes, found = torch.randn(N, PACKING.n_outputs, generator=torch.Generator().manual_seed(2)), []
    for made in (network(name), network("hard")):
        (made(inputs()) * slopes).sum().backward()
        with torch.no_grad():
            for value in made.own.values():
                value -= 0 if value.grad is None else 0.01 * value.grad
        found.append(made(inputs()))
    torch.testing.assert_close(*found, atol=1e-5, rtol=1e-3)
    assert found[1].abs().min(0).values.max() > 1e-4


@every
def test_maps_act_row_by_row_along_the_inputs(name):
    """With scores in the place of what lies along the inputs, the maps are the products."""
    sharing, own = make_sharing(name, PACKING, WIDTH), trained(name)
    along = (*sharing.shared, *sharing.along_inputs)
    scores = {key: torch.einsum("nr,r...->n...", inputs(), own[key]) for key in along}
    found = combine(*sharing.maps(own | scores), sharing.squash)
    torch.testing.assert_close(found, values_of(sharing, own), atol=1e-4, rtol=1e-4)


@every
def test_what_is_shared_is_trained_by_several_tasks_and_all_else_by_one(name):
    sharing, own = make_sharing(name, PACKING, WIDTH), trained(name)
    values = values_of(sharing, own)
    reached = {key: torch.zeros_like(value) for key, value in own.items()}
    for place in PACKING.columns:
        slopes = torch.autograd.grad(values[:, place].square().sum(), list(own.values()), retain_graph=True)
        for key, slope in zip(own, slopes, strict=True):
            reached[key] += slope != 0
    for key, count in reached.items():
        assert (count == len(PACKING.tasks)).all() if key in sharing.shared else (count == 1).all(), key


@every
def test_gates_are_there_where_they_are_named(name):
    sharing = make_sharing(name, PACKING, WIDTH)
    linear, gate, offset = sharing.maps(trained(name))
    assert (gate is None) == (offset is None) == (sharing.squash is None) == (name not in gated)
    assert linear.shape[::2] == (R, 6)
    if gate is not None:
        assert gate.shape == linear.shape and offset.shape == linear.shape[1:]
        # all classes of a task go through the same gate
        subtype = gate[:, :, PACKING.columns[3]]
        assert (subtype == subtype[:, :, :1]).all() and not torch.equal(gate[:, :, 0], gate[:, :, 1])


@pytest.mark.parametrize("name", ["mmoe", "ple"])
def test_experts_do_not_stay_alike(name):
    """Were the gates the same at the start, all experts would take the same steps for ever."""
    made = network(name)
    for _ in range(30):
        loss = ((made(inputs()) - inputs()[:, : PACKING.n_outputs]) ** 2).mean()
        slopes = torch.autograd.grad(loss, list(made.parameters()))
        with torch.no_grad():
            for value, slope in zip(made.parameters(), slopes, strict=True):
                value -= 0.1 * slope
    experts = made.own["experts"].detach()
    assert (experts[:, 0] - experts[:, 1]).norm() > 0.05 * experts.norm()
    assert made.own["gates"].abs().max() > 1e-4


@every
def test_the_seed_fixes_the_start(name):
    torch.manual_seed(1)
    first = {key: value.detach() for key, value in network(name, 3).own.items()}
    torch.manual_seed(2)
    again, other = network(name, 3).own, network(name, 4).own
    assert all(torch.equal(value, again[key]) for key, value in first.items())
    assert all(torch.equal(value, other[key]) for key, value in first.items()) == (
        name in ("trace_norm", "task_relation")
    )


def test_every_scheme_is_registered_and_says_where_it_comes_from():
    assert list(registered()) == list(SHARING)
    for name, made in registered().items():
        assert made.start.__doc__ and made.maps.__doc__, name
        assert name == "hard" or "Deviations from the paper" in made.__doc__, name


@every
def test_every_scheme_agrees_with_its_facts(name):
    facts, made = SHARING[name], registered()[name]
    assert facts.shared == bool(made.shared) and set(made.shared) <= set(trained(name))
    assert (facts.strength is not None) == (made.shrink is not Sharing.shrink)
    assert make_sharing(name, PACKING, WIDTH).strength == facts.strength
    assert 10 < len(facts.line) < 120


@pytest.mark.parametrize(
    "name, strength, words",
    [
        ("hrad", None, "training.sharing: found 'hrad'; valid: .*task_relation"),
        *[(name, 0.1, f"{name} sharing has no penalty") for name in ("hard", "cross_stitch", *gated)],
        ("soft", -0.1, "training.sharing_strength: found -0.1; valid: 0 or more"),
        ("soft", float("inf"), "valid: 0 or more"),
    ],
)
def test_a_strength_that_would_do_nothing_is_an_error(name, strength, words):
    with pytest.raises(InputError, match=words):
        make_sharing(name, PACKING, WIDTH, strength)
