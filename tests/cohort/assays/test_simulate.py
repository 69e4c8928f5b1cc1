"""The planted assays: what is in which block, who lacks one, and what drives the labels."""

import numpy as np
import pandas as pd
import pytest

from mtlbio.cohort.assays.simulate import WHERE, simulate_blocks
from mtlbio.errors import InputError


def strongest(table: pd.DataFrame, values: pd.Series) -> float:
    """The largest absolute correlation of a column with the values."""
    return float(table.corrwith(values.loc[table.index]).abs().max())


def test_programmes_are_where_they_are_said_to_be():
    planted = simulate_blocks(0, donors=300)
    for programme in ("interferon", "secreted", "plate", "composition"):
        inside = {name for name, table in planted.blocks.items() if strongest(table, planted.truth[programme]) > 0.5}
        assert inside == set(WHERE[programme]), programme
    empty = simulate_blocks(0, donors=300, apart=False).blocks["proteins"]
    assert strongest(empty, planted.truth["secreted"]) < 0.35 and strongest(empty, planted.truth["plate"]) > 0.5


def test_donors_lack_one_of_the_two_at_random():
    planted = simulate_blocks(1, donors=200, lacking=0.3)
    have = pd.DataFrame({n: planted.truth.index.isin(t.index) for n, t in planted.blocks.items()}, planted.truth.index)
    assert have.sum().tolist() == [170, 170] and have.any(axis=1).all()
    again = simulate_blocks(1, donors=200, lacking=0.3)
    assert all(again.blocks[name].equals(table) for name, table in planted.blocks.items())


@pytest.mark.parametrize(
    ("changes", "cause"), [({"outcome": 3.0}, "secreted"), ({"outcome": 0.0, "by_interferon": 3.0}, "interferon")]
)
def test_labels_follow_their_causes(changes, cause):
    planted = simulate_blocks(0, donors=400, **changes)
    good = (planted.metadata["outcome"] == "good").to_numpy()
    r = {name: abs(np.corrcoef(good, planted.truth[name])[0, 1]) for name in ("secreted", "interferon")}
    assert max(r, key=lambda name: r[name]) == cause and r[cause] > 0.5 and min(r.values()) < 0.2


def test_what_cannot_be_planted_is_refused():
    with pytest.raises(InputError, match="lacking: found 1; valid: 0 to 0.9"):
        simulate_blocks(0, lacking=1)
