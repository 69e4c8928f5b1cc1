"""The penalties' implicit steps against their definition, written out slowly and differentiated."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from fabricated import TASKS
from scipy.linalg import sqrtm

from mtlbio.model.outputs import Outputs
from mtlbio.model.sharing.make import make_sharing
from mtlbio.model.sharing.task_relation import relation

PACKING = Outputs.of(TASKS)
R, WIDTH = 9, 3
ALL = torch.ones(4, dtype=bool)


def soft(own):
    trunks = own["trunks"]
    return sum(((trunks[:, t] - trunks[:, u]) ** 2).sum() for t in range(trunks.shape[1]) for u in range(t))


def offset(own):
    return (own["offsets"] ** 2).sum()


def trace_norm(own):
    return torch.linalg.svdvals(own["maps"]).sum()


def task_relation(own):
    return torch.linalg.svdvals(own["maps"]).sum() ** 2


PENALTIES = {"soft": soft, "offset": offset, "trace_norm": trace_norm, "task_relation": task_relation}
every = pytest.mark.parametrize("name", PENALTIES)


def sharing_of(name, packing=PACKING):
    return make_sharing(name, packing, WIDTH, 1.0)


def parameters(name, scale=1.0, packing=PACKING):
    draw = torch.Generator().manual_seed(4)
    start = sharing_of(name, packing).start(R, draw)
    return {key: scale * torch.randn(v.shape, generator=draw, dtype=torch.float64) for key, v in start.items()}


def shrunk(name, own, step, present=ALL, packing=PACKING):
    return own | sharing_of(name, packing).shrink(own, step, present)


@every
@pytest.mark.parametrize("step", [1e-3, 0.05])
def test_the_step_is_down_the_gradient_at_its_end(name, step):
    own = parameters(name)
    new = {key: value.clone().requires_grad_() for key, value in shrunk(name, own, step).items()}
    slopes = torch.autograd.grad(PENALTIES[name](new), list(new.values()), allow_unused=True)
    for (key, value), slope in zip(new.items(), slopes, strict=True):
        moved = (own[key] - value.detach()) / step
        torch.testing.assert_close(moved, torch.zeros_like(moved) if slope is None else slope, atol=1e-9, rtol=1e-6)


@every
@pytest.mark.parametrize("step", [0.05, 1.0, 30.0])
def test_no_other_point_is_better(name, step):
    """Also where singular values vanish and there is no gradient."""
    own = parameters(name)
    new = shrunk(name, own, step)

    def objective(point):
        far = sum(((point[key] - own[key]) ** 2).sum() for key in own)
        return (PENALTIES[name](point) + far / (2 * step)).item()

    best, draw = objective(new), torch.Generator().manual_seed(5)
    for size in (1e-4, 1e-2, 0.3):
        for _ in range(30):
            near = {k: v + size * torch.randn(v.shape, generator=draw, dtype=v.dtype) for k, v in new.items()}
            assert objective(near) >= best - 1e-9


@every
def test_nothing_happens_at_the_zero_where_training_starts(name):
    for value in shrunk(name, parameters(name, scale=0.0), 0.1).values():
        assert (value == 0).all()


@every
def test_a_step_of_nothing_changes_nothing_and_no_step_is_too_large(name):
    own = parameters(name)
    for key, value in shrunk(name, own, 0.0).items():
        torch.testing.assert_close(value, own[key])
    far = shrunk(name, own, 1e9)
    if name == "soft":
        mean = own["trunks"].mean(1, keepdim=True).expand_as(own["trunks"])
        torch.testing.assert_close(far["trunks"], mean)
    else:
        assert far["offsets" if name == "offset" else "maps"].abs().max() < 1e-6


@every
def test_an_absent_task_stays_what_it_is_and_the_others_never_hear_of_it(name):
    own = parameters(name)
    present = torch.tensor([True, False, True, True])
    found = shrunk(name, own, 0.1, present)
    others = Outputs.of({key: task for key, task in TASKS.items() if key != "age"})
    without = {key: value for key, value in own.items() if key not in ("heads",)}
    for key, value in without.items():
        if key == "trunk":
            continue
        absent = [1]
        rest = [i for i in range(value.shape[1]) if i not in absent]
        assert torch.equal(found[key][:, absent], value[:, absent])
        only = shrunk(name, {key: value[:, rest]}, 0.1, ALL[:3], others)
        torch.testing.assert_close(found[key][:, rest], only[key])
    none = shrunk(name, own, 0.1, ~ALL)
    assert all(torch.equal(none[key], value) for key, value in own.items())


def test_the_trace_norm_lowers_the_rank():
    own = parameters("trace_norm")
    values = torch.linalg.svdvals(own["maps"])
    step = values[2:4].mean().item()
    found = torch.linalg.svdvals(shrunk("trace_norm", own, step)["maps"])
    torch.testing.assert_close(found, (values - step).clamp_min(0), atol=1e-7, rtol=0)
    assert (found > 1e-7).sum() == 3


def test_float32_maps_lose_their_small_directions_too():
    own = {"maps": parameters("trace_norm")["maps"].float() * torch.logspace(0, -6, 6)}
    found = torch.linalg.svdvals(shrunk("trace_norm", own, 1e-3)["maps"].double())
    expected = (torch.linalg.svdvals(own["maps"].double()) - 1e-3).clamp_min(0)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)


def test_relation_is_the_root_of_the_gramian_and_the_best_there_is():
    maps = parameters("task_relation")["maps"]
    omega = relation(maps)
    root = np.real(sqrtm((maps.T @ maps).numpy()))
    np.testing.assert_allclose(omega, root / np.trace(root), atol=1e-8)
    least = torch.trace(maps @ torch.linalg.inv(omega) @ maps.T)
    torch.testing.assert_close(least, task_relation({"maps": maps}))
    draw = torch.Generator().manual_seed(6)
    for _ in range(50):
        other = torch.randn(6, 8, generator=draw, dtype=torch.float64)
        other = omega + 0.3 * (other @ other.T) / 48
        other = other / other.trace()
        assert torch.trace(maps @ torch.linalg.inv(other) @ maps.T) > least


def test_relation_says_who_is_related_to_whom():
    draw = torch.Generator().manual_seed(7)
    one, other = torch.randn(2, 500, 1, generator=draw)
    maps = torch.cat([one, -2 * one + 0.1 * other, other], dim=1)
    omega = relation(torch.stack([maps, 0 * maps]))
    size = omega[0].diagonal().sqrt()
    correlation = omega[0] / size[:, None] / size
    assert correlation[0, 1] < -0.9 and abs(correlation[0, 2]) < 0.2
    assert omega[0].trace() == pytest.approx(1) and (omega[1] == 0).all()
