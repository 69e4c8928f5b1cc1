"""What the right verdict on a planted dimension is, from the programmes that its variance is planted as."""

from __future__ import annotations

from dataclasses import dataclass

ROLE = 0.65  # a programme with this share of a dimension's variance is what the dimension is about
MATERIAL = 0.1  # a programme below this share is a trace that no verdict has to mention
CONFOUNDERS, TECHNICAL = ("age", "sex"), ("batch",)
NO_CLAIM = "underpowered"


@dataclass(frozen=True)
class World:
    """What is true of a planted cohort.

    Attributes
    ----------
    causal : programmes that drive an outcome once the covariates are held fixed
    separation : P(batch = disease): at 1 nobody can tell them apart, from ``AMBIGUOUS`` on refusing is right too
    """

    causal: frozenset[str]
    separation: float = 0.5

    @property
    def nested(self) -> bool:
        """Whether batch and disease are the same."""
        return self.separation >= 1


# the variance inflation of disease given the batch passes 4 at P = .93
AMBIGUOUS = 0.9


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


def right_verdicts(role: str, world: World) -> frozenset[str]:
    """Verdicts on a dimension of this role that are right; ``underpowered`` claims nothing and is never wrong."""
    parts = role.split("+")
    causal = [p for p in parts if p in world.causal]
    technical = [p for p in parts if p in TECHNICAL]
    confounders = [p for p in parts if p in CONFOUNDERS]
    if world.nested and (causal or technical):
        return frozenset({"not_identifiable"})
    refusing = {"not_identifiable"} if world.separation >= AMBIGUOUS and (causal or technical) else set()
    if len(parts) == 1:
        own = "technical" if technical else "confounder" if confounders else "biology" if causal else "unused"
        return frozenset({own} | refusing)
    right = {"mixed"} | refusing
    if causal and not technical:  # what rises with age is still biology
        right |= {"biology"}
    if not causal and not technical and not confounders:
        right = {"unused"}
    if causal and "noise" in parts:
        right = {"biology"} | refusing
    if not causal and confounders:
        right |= {"confounder"}
    if not causal and technical:
        right |= {"technical"}
    return frozenset(right)
