"""The sharing schemes by name, with what a check of the run has to know of them.

``mtlbio/model/sharing/<name>.py`` holds the scheme, which takes the strength of its penalty from here.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mtlbio.errors import InputError, listing


@dataclass(frozen=True)
class SchemeFacts:
    """What is known of a sharing scheme without making one."""

    line: str  # what it does, for the user
    shared: bool = True  # more than one task trains some parameters, on which gradients of several tasks meet
    strength: float | None = None  # of its penalty unless the run says otherwise; None where it has none


SHARING: dict[str, SchemeFacts] = {
    "hard": SchemeFacts("one trunk for all tasks, a head each (Caruana 1997)"),
    "soft": SchemeFacts("a trunk per task, kept close to the others' (Duong et al. 2015)", shared=False, strength=1.0),
    "offset": SchemeFacts("one trunk plus an offset per task, kept small (Evgeniou & Pontil 2004)", strength=0.3),
    "cross_stitch": SchemeFacts("a trunk per task, mixed by a learned matrix (Misra et al. 2016)"),
    "mmoe": SchemeFacts("three trunks, of which each task chooses sample by sample (Ma et al. 2018)"),
    "ple": SchemeFacts("two shared trunks and one of the task's own, chosen sample by sample (Tang et al. 2020)"),
    "attention": SchemeFacts("one trunk, whose dimensions each task masks sample by sample (after Liu et al. 2019)"),
    "trace_norm": SchemeFacts(
        "a free map per task, all of them together of low rank (Argyriou et al. 2008)", shared=False, strength=0.01
    ),
    "task_relation": SchemeFacts(
        "a free map per task, tied by learned relations of the tasks (Zhang & Yeung 2010)", shared=False, strength=0.001
    ),
}

# those whose tasks train what other tasks read
SHARED = tuple(name for name, facts in SHARING.items() if facts.shared)

if TYPE_CHECKING:  # the names are known when the module is read
    SharingName = str
else:
    SharingName = Literal[tuple(SHARING)]


def check_sharing(name: str, strength: float | None = None) -> None:
    """Raise InputError at an unknown scheme, a strength for one without a penalty, or a strength below 0."""
    if name not in SHARING:
        raise InputError(f"training.sharing: found {name!r}; valid: {listing(SHARING, limit=len(SHARING))}")
    if strength is None:
        return
    if SHARING[name].strength is None:
        raise InputError(f"training.sharing_strength: {name} sharing has no penalty, so the strength would do nothing")
    if not 0 <= strength < float("inf"):
        raise InputError(f"training.sharing_strength: found {strength}; valid: 0 or more")
