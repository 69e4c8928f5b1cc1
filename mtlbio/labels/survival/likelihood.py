"""The partial likelihood of Cox (1972) as a loss of every sample, over many replicas at once.

Everything is summed over the table of records first: whoever shares a record is at risk in the same sets. A sum over a
risk set is then a running sum over the table, of which the places are the same for every replica; who takes part is
said by the weights alone.
"""

import numpy as np
import torch

from mtlbio.labels.survival.records import Records

_LEAST = 1e-30


def partial_loss(scores: torch.Tensor, target: torch.Tensor, weights: torch.Tensor, records: Records) -> torch.Tensor:
    """(..., n) of every sample; times its weight they sum to minus the partial log likelihood, in which weights count
    relative to their mean over those who take part.

    A sample with an event has minus its log hazard plus the logarithm of the hazards at risk; of d events at one time
    the logarithm is the mean of those that Efron's approximation (1977) puts in place of the d, and with weights every
    one of them counts with their mean, as in R's ``survival``. A sample without an event has none: it is in the sums.
    The second derivative along any direction is the mean variance of that direction in the risk sets: bounded, unlike
    that of a hazard with a scale of its own, and no step can run away.

    Parameters
    ----------
    scores : (..., n) log hazards
    target : (n,) places of records, any for a sample that does not take part
    weights : (..., n), 0 for samples that do not take part
    records : the table
    """
    device, dtype = scores.device, scores.dtype

    def constant(values) -> torch.Tensor:
        return torch.as_tensor(values, device=device)

    place = target.long()
    event, group = constant(records.event).to(dtype), constant(records.group)
    highest = torch.where(weights > 0, scores, -torch.inf).amax(-1, keepdim=True).detach()
    centred = torch.where(weights > 0, scores - highest, 0.0)
    relative = weights * (weights > 0).sum(-1, keepdim=True) / weights.sum(-1, keepdim=True).clamp_min(_LEAST)
    mass = relative * centred.exp()
    ends = event[place] * (weights > 0)

    def summed(values: torch.Tensor, into: torch.Tensor, size: int) -> torch.Tensor:
        return values.new_zeros(*values.shape[:-1], size).index_add(-1, into, values)

    at_risk = _at_risk(summed(mass, place, len(records)), records, constant)
    groups = int(records.group[-1]) + 1
    tied_place = group[place]
    size, share = summed(ends, tied_place, groups), summed(ends * mass, tied_place, groups)
    # of those who share a time the first, the second, ...: in the order of the samples
    order = torch.argsort(tied_place, stable=True)
    counted = ends[..., order].cumsum(-1) - ends[..., order]
    before = (size.cumsum(-1) - size)[..., tied_place]
    rank = torch.zeros_like(ends).index_copy(-1, order, counted) - before
    tied, sets = size[..., tied_place].clamp_min(1.0), torch.maximum(at_risk[..., place], share[..., tied_place])
    seen = torch.where(ends > 0, sets - rank / tied * share[..., tied_place], 1.0).clamp_min(_LEAST)
    mean = summed(seen.log() * ends, tied_place, groups)[..., tied_place] / tied
    return ends * (mean - centred)


def _at_risk(mass: torch.Tensor, records: Records, constant) -> torch.Tensor:
    """(..., m) sums of mass (..., m) over those who are at risk at the time of a record, in its stratum."""
    own = constant(records.stratum == np.arange(records.n_strata)[:, None]).to(mass.dtype)
    of_strata, stratum = mass[..., None, :] * own, constant(records.stratum)
    still = _suffix(of_strata)[..., stratum, constant(records.start)]
    if not records.truncated:
        return still
    later = _suffix(of_strata[..., constant(records.by_entry)])
    return still - later[..., stratum, constant(records.entered)]


def _suffix(values: torch.Tensor) -> torch.Tensor:
    """(..., m + 1) sums of what follows a place, itself included."""
    sums = values.flip(-1).cumsum(-1).flip(-1)
    return torch.cat([sums, sums.new_zeros(*sums.shape[:-1], 1)], dim=-1)
