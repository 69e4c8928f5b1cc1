"""Planted chains: what a dimension of h_t is about in truth, and rates that speak for protein runs only."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from benchmarks.calibration.chains import ARMS, ChainCell, chains_grid, judge_chains, role_of_chains, true_shares
from benchmarks.calibration.score import scored
from benchmarks.calibration.truth import right_verdicts
from mtlbio.sequence.simulate import simulate_chains


def cell(arm: str, donors: int = 20) -> ChainCell:
    return ChainCell(arm, donors, {"batch_disease": 0.5, **ARMS[arm]})


def residues(table: pd.DataFrame) -> pd.DataFrame:
    """A row per residue, as the latents have it."""
    parts = []
    for row in table.itertuples():
        n = len(row.sequence)
        own = pd.DataFrame({"donor": row.id, "source": row.source, "length": float(n), "letter": list(row.sequence)})
        own["position"] = (np.arange(n) + 0.5) / n
        own["structure"], own["exposure"] = list(row.q3), [float(v) for v in row.rsa.split()]
        parts.append(own)
    return pd.concat(parts, ignore_index=True)


def test_traps_act_where_they_are_set_and_letters_tell_nothing_without_a_signal():
    plain, none = residues(simulate_chains(150, 1)), residues(simulate_chains(150, 1, signal=0, water=0, bias=0))
    by_letter = none.groupby("letter")["exposure"].mean()
    assert by_letter.std() < 0.02 < 0.15 < plain.groupby("letter")["exposure"].mean().std()
    assert abs(none["letter"].eq("L").mean() - 0.05) < 0.01
    trapped = residues(simulate_chains(150, 1, signal=0, water=0, ends=2.0, buried=1.0))
    to_end = np.minimum(trapped["position"], 1 - trapped["position"]) * trapped["length"]
    coil = [trapped.loc[to_end.astype(int) == d, "structure"].eq("C").mean() for d in (0, 3)]
    assert coil[0] > 0.8 > 0.6 > coil[1]
    inner, logit = to_end > 20, np.log(trapped["exposure"] / (1 - trapped["exposure"]))
    isolated = trapped["source"] == "isolated"
    assert logit[inner & isolated].mean() == pytest.approx(-0.5, abs=0.03)
    assert logit[inner & ~isolated].mean() == pytest.approx(-1.5, abs=0.03)
    assert logit[(to_end < 1) & isolated].mean() == pytest.approx(1.5, abs=0.1)


def test_true_shares_of_made_up_dimensions():
    obs, rng = residues(simulate_chains(200, 2)), np.random.default_rng(0)
    noise = rng.standard_normal(len(obs))
    helix = obs["structure"].eq("H").to_numpy(dtype=float)
    source = obs["source"].eq("complex").to_numpy(dtype=float)
    position = obs["position"].to_numpy()
    length = obs["length"].to_numpy() / obs["length"].std()
    z = np.column_stack([noise, 2 * helix, source, 3 * position, length, helix + helix.std() * noise])
    obs.index = [str(i) for i in obs.index]
    shares = true_shares(ad.AnnData(X=z, obs=obs))
    assert (shares.loc[0] < 0.02).all()
    # what of a helix lies between chains (some hold more of it) is no evidence on residues
    assert shares.loc[1, "labels"] > 0.85 and shares.loc[1, ["position", "source", "length"]].max() < 0.05
    assert shares.loc[2, "source"] > 0.95 and shares.loc[4, "length"] > 0.95 and shares.loc[3, "position"] > 0.95
    assert shares.loc[5, "labels"] == pytest.approx(shares.loc[1, "labels"] / 2, abs=0.03)
    # the order of the residues, the sign and the scale of a dimension do not matter
    order = rng.permutation(len(obs))
    again = true_shares(ad.AnnData(X=-5 * z[order], obs=obs.iloc[order]))
    np.testing.assert_allclose(shares, again, atol=1e-5)


def test_what_is_right_of_a_dimension():
    none = {"labels": 0.0, "position": 0.05, "length": 0.02, "source": 0.1}
    assert role_of_chains(none, True) == "noise" and right_verdicts("noise", cell("letters tell").world) == {"unused"}
    told = none | {"labels": 0.011}
    assert role_of_chains(told, True) == "labels" and role_of_chains(told, False) == "noise"
    assert right_verdicts("labels", cell("letters tell").world) == {"biology"}
    assert role_of_chains(told | {"source": 0.3}, True) == "labels+source"
    assert right_verdicts("labels+source", cell("letters tell").world) == {"mixed"}
    assert role_of_chains(told | {"position": 0.7}, True) == "position"
    assert right_verdicts("position", cell("nothing tells").world) == {"confounder"}
    assert right_verdicts("source", cell("nothing tells").world) == {"technical"}
    rows = scored(cell("nothing tells"), 0, ["z01", "z02"], ["noise", "noise"], ["biology", "underpowered"])
    assert rows["false_biology"].tolist() == [True, False]
    assert {c.arm for c, _ in chains_grid(True)} == set(ARMS)


@pytest.mark.slow
def test_planted_chains_are_judged_as_a_user_would_see_it():
    told, nothing = judge_chains(cell("letters tell", 20), 0), judge_chains(cell("nothing tells", 20), 0)
    assert (told["verdict"] == "biology").sum() >= 2 and not told["false_biology"].any()
    assert not nothing["false_biology"].any() and set(nothing["role"]) <= {"noise", "position"}
