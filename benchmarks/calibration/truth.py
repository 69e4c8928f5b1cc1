"""What the right verdict on a planted dimension is, given its role (:mod:`benchmarks.calibration.roles`)."""

from __future__ import annotations

from dataclasses import dataclass

CONFOUNDERS = ("age", "sex", "weight", "ancestry", "position", "length")
TECHNICAL = ("batch", "source")


@dataclass(frozen=True)
class World:
    """What is true of a planted cohort.

    Attributes
    ----------
    causal : programmes that drive an outcome once the covariates are held fixed
    separation : P(batch = disease): at 1 nobody can tell them apart, from ``AMBIGUOUS`` on refusing is right too
    several : whether each disease state has several batches, whose differences nobody takes for disease
    apart : outcomes that a causal programme drives within the cases alone. A batch that is the disease does not tell
        one case from another, so that they are known even there
    """

    causal: frozenset[str]
    separation: float = 0.5
    several: bool = False
    apart: frozenset[str] = frozenset()

    @property
    def nested(self) -> bool:
        """Whether batch and disease are the same."""
        return self.separation >= 1


# the variance inflation of disease given the batch passes 4 at P = .93
AMBIGUOUS = 0.9


def right_verdicts(role: str, world: World, about: str | None = None) -> frozenset[str]:
    """Verdicts on a dimension of this role that are right; ``underpowered`` claims nothing and is never wrong.

    ``about``: the outcome that the verdict is about, None where it is not known, or could be any.
    """
    parts = role.split("+")
    causal = [p for p in parts if p in world.causal]
    technical = [p for p in parts if p in TECHNICAL]
    confounders = [p for p in parts if p in CONFOUNDERS]
    if world.nested and (causal or technical):
        known = causal and not technical and about in world.apart
        of_batch = world.several and not causal
        return frozenset({"not_identifiable", *(["biology"] if known else []), *(["technical"] if of_batch else [])})
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


def class_of(role: str, world: World) -> str:
    """What a dimension of this role is, of :data:`mtlbio.probing.odds.ROLES`, whoever could know it."""
    kinds = {"biology": world.causal, "confounder": CONFOUNDERS, "technical": TECHNICAL}
    has = [name for name, those in kinds.items() if set(role.split("+")) & set(those)]
    return has[0] if len(has) == 1 else "mixed" if has else "none"
