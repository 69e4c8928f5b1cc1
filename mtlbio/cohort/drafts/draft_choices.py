"""What a person has to choose where a draft cannot: which column names the samples, and which the donors."""

import numpy as np

from mtlbio.cohort.drafts.drafting import Draft
from mtlbio.cohort.drafts.guess import is_derived
from mtlbio.errors import listing
from mtlbio.text import OWN_DONORS, TO_CHOOSE, as_number

_MOST = 12


def to_name(out: Draft, samples: np.ndarray) -> str:
    """Why no column names the samples, and which could."""
    unique = [c for c in out.table.columns if out.table[c].notna().all() and out.table[c].is_unique]
    what = f"those of the expression are called {listing(samples, 3)}"
    could = f"columns with a value of its own in every row: {listing(unique, _MOST)}"
    return f"no column names them: {what}; {could}; name the column as metadata.sample, or write the names into one"


def to_choose(out: Draft, sample: str | None) -> list[str]:
    """Lines below ``metadata`` on what is to be chosen there; none where nothing is."""
    lines = []
    if sample == TO_CHOOSE:
        lines.append("# TO CHOOSE: sample, the column with a name of its own in every row, as in the other file")
    if out.donor == TO_CHOOSE:
        counts = out.table.nunique()
        text = [c for c in out.table.columns if c != TO_CHOOSE and counts[c] > 2 and len(as_number(out.table[c])[1])]
        text = sorted(text, key=lambda c: (counts[c] == len(out.table), is_derived(c)))[:_MOST]
        could = f": {listing([f'{c} ({counts[c]} values)' for c in text], _MOST)}" if text else ""
        lines.append(f"# TO CHOOSE: donor, the column that names the people{could}")
        if sample is None:
            lines.append(f"# {OWN_DONORS}")
    return lines
