"""What a run's sentences call things: a donor or a chain, a sample or a residue."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Vocabulary:
    """The words of one kind of run.

    Attributes
    ----------
    unit, units : who is held out as a whole, and whom every interval counts
    sample, samples : what has a latent vector
    """

    unit: str
    units: str
    sample: str
    samples: str


DONORS = Vocabulary(unit="donor", units="donors", sample="sample", samples="samples")

# of a table of features
PATIENTS = Vocabulary(unit="donor", units="donors", sample="sample", samples="samples")

CHAINS = Vocabulary(unit="chain", units="chains", sample="residue", samples="residues")
