"""What holds for every registered balancer."""

from dataclasses import replace
from itertools import combinations

import pytest
import torch
from steps import TASKS, Course, answers, course

from mtlbio.choices.balancers import BALANCERS
from mtlbio.errors import InputError
from mtlbio.training.balancing.registry import make_balancer, registered
from mtlbio.training.balancing.step import Step

every = pytest.mark.parametrize("name", BALANCERS)


def assert_same(found: torch.Tensor, expected: torch.Tensor):
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-9)


def patchy(plain: Course) -> torch.Tensor:
    """Presence that comes and goes, with a replica that has nothing in the second step."""
    present = torch.rand(plain.present.shape, generator=torch.Generator().manual_seed(3)) < 0.7
    present[0, :, 0] = True
    present[1, 1] = False
    return present


@every
def test_weights_do_not_depend_on_the_order_of_the_tasks(name):
    plain = course()
    plain = plain.with_present(patchy(plain))
    order = [2, 0, 3, 1]
    assert_same(answers(name, plain.of_tasks(order)), answers(name, plain)[..., order])


@every
def test_replicas_do_not_depend_on_their_order_or_their_neighbours(name):
    plain = course()
    plain = plain.with_present(patchy(plain))
    together = answers(name, plain)
    assert_same(answers(name, plain.of_replicas([2, 0, 1])), together[:, [2, 0, 1]])
    for r in range(3):
        assert_same(answers(name, plain.of_replicas([r])), together[:, [r]])


@every
def test_an_absent_task_never_changes_another_tasks_weight(name):
    plain = course()
    present = plain.present.clone()
    present[..., 2] = False
    found = answers(name, plain.with_present(present))
    assert found[..., 2].eq(0).all() and found.isfinite().all()
    others = [0, 1, 3]
    assert_same(found[..., others], answers(name, plain.of_tasks(others)))
    for garbage in (0.0, 1e6, -torch.inf):
        assert_same(answers(name, plain.with_present(present, garbage)), found)


@every
def test_what_is_remembered_of_an_absent_task_stays_as_it_was(name):
    first, second = course(), course(seed=1)
    balancer = make_balancer(name, TASKS, 3)
    answers(name, first, balancer)
    before = balancer.state()
    present = second.present.clone()
    present[..., 1] = False
    answers(name, second.with_present(present), balancer)
    after = balancer.state()
    for key in before:
        if "age" in key.split("/"):
            assert torch.equal(before[key], after[key]), key
        assert after[key].isfinite().all(), key


@every
def test_without_any_label_nothing_moves(name):
    plain = course()
    balancer = make_balancer(name, TASKS, 3)
    answers(name, plain, balancer)
    before = balancer.state()
    assert answers(name, plain.with_present(torch.zeros_like(plain.present)), balancer).eq(0).all()
    assert all(torch.equal(before[key], value) for key, value in balancer.state().items())


@every
def test_a_task_by_itself_has_weight_one(name):
    plain = course()
    present = torch.zeros_like(plain.present)
    present[..., 3] = True
    found = answers(name, plain.with_present(present))
    torch.testing.assert_close(found, present.double(), rtol=0, atol=1e-12)


@every
def test_all_tasks_alike_is_the_plain_sum(name):
    t, steps = len(TASKS), 5
    losses = (0.6 * 0.9 ** torch.arange(steps + 1, dtype=torch.float64))[:, None, None].repeat(1, 2, t)
    gramians = (3.7e-4 * torch.eye(t, dtype=torch.float64)).repeat(steps, 2, 1, 1)
    present = torch.ones(steps, 2, t, dtype=torch.bool)
    alike = Course(TASKS, losses[:-1], losses[1:], gramians, present, torch.tensor([0, 1]))
    if name == "rlw":
        many = replace(alike.of_replicas([0] * 4000), seeds=torch.arange(4000))
        found = make_balancer(name, TASKS, 4000).weights(many.steps()[0])
        torch.testing.assert_close(found.mean(0), torch.ones(t, dtype=torch.float64), rtol=0, atol=0.05)
        torch.testing.assert_close(found.sum(1), torch.full((4000,), float(t), dtype=torch.float64))
    else:
        assert_same(answers(name, alike), torch.ones(steps, 2, t, dtype=torch.float64))


@every
def test_a_task_without_a_gradient_silences_nobody(name):
    plain = course()
    mute = plain.gramians.clone()
    mute[..., 1, :] = 0
    mute[..., :, 1] = 0
    found = answers(name, replace(plain, gramians=mute))
    assert found.isfinite().all()
    if registered()[name].scope == "gradient":
        others = [0, 2, 3]
        assert_same(found[..., others], answers(name, plain.of_tasks(others)))
        assert found[..., 1].eq(1).all()
    nothing = answers(name, replace(plain, gramians=torch.zeros_like(mute)))
    assert nothing.isfinite().all()


@every
def test_gramian_methods_do_not_see_the_size_of_the_gradients(name):
    plain = course()
    assert_same(answers(name, replace(plain, gramians=1e-10 * plain.gramians)), answers(name, plain))


@every
def test_going_on_from_a_checkpoint_gives_the_same_later_weights(name):
    first, second = course(), course(seed=1)
    straight = make_balancer(name, TASKS, 3)
    answers(name, first, straight)
    resumed = make_balancer(name, TASKS, 3)
    resumed.load(straight.state())
    order = [3, 1, 0, 2]
    reordered = make_balancer(name, tuple(TASKS[t] for t in order), 3)
    reordered.load(straight.state())
    expected = answers(name, second, straight)
    assert torch.equal(answers(name, second, resumed), expected)
    assert_same(answers(name, second.of_tasks(order), reordered), expected[..., order])


@every
def test_a_checkpoint_between_the_weights_and_the_losses_after_them(name):
    plain = course()
    straight, resumed = (make_balancer(name, TASKS, 3) for _ in range(2))
    straight.weights(plain.steps()[0])
    resumed.load(straight.state())
    for balancer in (straight, resumed):
        balancer.after(plain.later[0])
    step = plain.steps()[1]
    assert torch.equal(straight.weights(step), resumed.weights(step))


@every
def test_state_of_other_tasks_or_replicas_is_an_error(name):
    balancer = make_balancer(name, TASKS, 3)
    if not balancer.memory:
        with pytest.raises(InputError, match=f"balancing {name}: the state holds x/y; expected"):
            balancer.load({"x/y": torch.zeros(3)})
        return
    with pytest.raises(InputError, match=f"balancing {name}: the state holds .*; expected"):
        balancer.load(make_balancer(name, ("disease", "weight"), 3).state())
    with pytest.raises(InputError, match=rf"balancing {name}: the state of .*/disease.* is \(2,\); expected \(3,\)"):
        balancer.load(make_balancer(name, TASKS, 2).state())


@every
def test_precision_and_gradients_stay_with_the_caller(name):
    plain = course(steps=1)
    losses = plain.losses[0].float().requires_grad_()
    gramian = plain.gramians[0].float().requires_grad_()
    found = make_balancer(name, TASKS, 3).weights(Step(0, losses, plain.present[0], lambda: gramian, plain.seeds))
    assert found.dtype == torch.float32 and not found.requires_grad
    torch.testing.assert_close(found, answers(name, plain)[0].float(), rtol=0, atol=1e-3)


@every
def test_says_what_it_reads(name):
    plain = course(steps=2)

    def refuse():
        raise AssertionError("the Gramian was asked for")

    balancer = make_balancer(name, TASKS, 3)
    assert balancer.scope in ("loss", "gradient")
    assert balancer.reads_gramian or balancer.scope == "loss"
    step = replace(plain.steps()[0], gramian=refuse)
    if balancer.reads_gramian:
        with pytest.raises(AssertionError, match="was asked for"):
            balancer.weights(step)
    else:
        balancer.weights(step)
    straight, without = make_balancer(name, TASKS, 3), make_balancer(name, TASKS, 3)
    answers(name, plain, straight)
    for step in plain.steps():
        without.weights(step)
    same = all(torch.equal(value, without.state()[key]) for key, value in straight.state().items())
    assert same != balancer.reads_after


def test_any_two_methods_differ_on_conflicting_gradients():
    plain = course(steps=6)
    last = {name: answers(name, plain)[-1] for name in BALANCERS}
    for one, other in combinations(BALANCERS, 2):
        assert (last[one] - last[other]).abs().max() > 1e-3, (one, other)


def test_draws_depend_on_seed_and_epoch():
    plain = course(steps=2, replicas=3)
    same = replace(plain, seeds=torch.tensor([5, 5, 6]))
    found = answers("rlw", same)
    assert torch.equal(found[:, 0], found[:, 1])
    assert (found[:, 0] - found[:, 2]).abs().min() > 1e-6 and (found[0] - found[1]).abs().min() > 1e-6
