"""What a planted dimension is about, from the programmes that its variance is planted as."""

from __future__ import annotations

ROLE = 0.65  # a programme with this share of a dimension's variance is what the dimension is about
MATERIAL = 0.1  # a programme below this share is a trace that no verdict has to mention


def role_of(shares: dict[str, float]) -> str:
    """The programme that a dimension is about; ``a+b`` where two material ones make it up together, ``a+noise`` where
    one does but for an unexplained rest, else ``noise``.

    Parameters
    ----------
    shares : programme -> share of the dimension's variance, 0-1
    """
    ranked = sorted((p for p in shares if shares[p] >= MATERIAL), key=lambda p: -shares[p])
    if not ranked or sum(shares[p] for p in ranked) < 2 * MATERIAL:
        return "noise"
    first, rivals = ranked[0], [p for p in ranked[1:] if shares[p] >= max(2 * MATERIAL, shares[ranked[0]] / 3)]
    if rivals:
        return "+".join(sorted([first, rivals[0]]))
    return first if shares[first] >= ROLE else f"{first}+noise"
