"""The trial of h_t on planted residues: the chain is the unit, and verdicts follow the planted causes."""

from __future__ import annotations

import json
from dataclasses import asdict
from types import SimpleNamespace

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import torch

from mtlbio.cohort.cohort import CovariateInfo
from mtlbio.errors import InputError
from mtlbio.kinds.schemas.chains import ResidueProbe
from mtlbio.labels import Multiclass, Regression
from mtlbio.labels.residues import residue_kind
from mtlbio.model.residue_axes import ResidueAxes, window_names
from mtlbio.probing.residues.held_out import HeldOutResidues, folds_of
from mtlbio.probing.residues.probe import examine_residues
from mtlbio.probing.residues.trial import between_chains, level_units, of_all_variance
from mtlbio.sequence.letters import AMINO_ACIDS
from mtlbio.sequence.scales import SCALES, of_residues
from mtlbio.training.chains.latents import AROUND

OPTIONS = ResidueProbe(permutations=199, bootstrap=200)
CHAINS, EACH = 40, 30


def test_units_of_a_number_are_fifths_of_a_chain():
    rng = np.random.default_rng(0)
    chains = np.repeat(["a", "b", "c"], [20, 20, 4])
    y = rng.random(44)
    y[0] = np.nan
    units = level_units(chains, y, np.ones(44, dtype=bool))
    assert len(units) == 10 and units.donors == 2 and units.within
    first = np.sort(y[1:20])
    assert units.y[0] == pytest.approx(first[:4].mean()) and units.y[4] == pytest.approx(first[-3:].mean(), abs=0.05)
    assert np.allclose(units.mean(np.nan_to_num(y)[:, None])[:, 0], units.y)
    assert np.abs(units.centre(units.y[:, None])[:5].sum()) < 1e-9


def test_shares_of_whole_chains_are_of_the_variance_of_residues():
    rng = np.random.default_rng(0)
    chains = np.repeat(np.arange(100), 50)
    z = np.column_stack([rng.normal(size=5000), np.repeat(rng.normal(size=100), 50) + rng.normal(size=5000)])
    between = between_chains(z, chains)
    assert between[0] < 0.05 and between[1] == pytest.approx(0.5, abs=0.08)
    rows = [
        ("z1", "confounder", "donor", 0.8),
        ("z2", "confounder", "donor", 0.8),
        ("z2", "task", "donor x label", 0.8),
    ]
    table = pd.DataFrame(rows, columns=["dim", "question", "unit", "share"])
    found = of_all_variance(table, between)["share"].to_numpy()
    assert found[0] < 0.05 and found[1] == pytest.approx(0.4, abs=0.07) and found[2] == 0.8


@pytest.fixture(scope="module")
def planted():
    """Six dimensions: helix, hydrophobicity (which exposure follows), position, length, data set and noise."""
    rng = np.random.default_rng(5)
    chain = np.repeat([f"c{i:02d}" for i in range(CHAINS)], EACH)
    n = len(chain)
    letters = rng.integers(0, 20, n)
    helix = np.repeat(rng.random((CHAINS, EACH // 6)) < 0.5, 6, axis=1).ravel()
    position = np.tile((np.arange(EACH) + 0.5) / EACH, CHAINS)
    length = np.repeat(rng.uniform(50, 400, CHAINS), EACH)
    source = np.repeat(np.where(np.arange(CHAINS) % 2, "complex", "isolated"), EACH)
    water = of_residues("hydrophobicity", letters)
    exposure = 1 / (1 + np.exp(water + rng.normal(0, 0.5, n)))

    def noise(spread: float) -> np.ndarray:
        return rng.normal(0, spread, n)

    per_chain = np.repeat(rng.normal(0, 0.3, CHAINS), EACH)
    z = np.column_stack(
        [
            helix - 0.5 + noise(0.3) + per_chain,
            water + noise(0.5),
            3 * position + noise(0.4),
            (length - 225) / 100 + noise(0.4),
            (source == "complex") * 2.0 + noise(0.4),
            noise(1.0),
        ]
    )
    z = (z - z.mean(axis=0)) / z.std(axis=0)
    obs = pd.DataFrame({"donor": chain, "fold": 0, "position": position, "length": length, "source": source})
    obs.index = [f"{c}:{i}" for i, c in enumerate(chain)]
    obs["structure"] = np.where(helix, "H", np.where(rng.random(n) < 0.5, "E", "C"))
    obs["exposure"], obs["letter"] = exposure, [AMINO_ACIDS[k] for k in letters]
    for name in SCALES:
        obs[name] = of_residues(name, letters)
        obs[f"{name}{AROUND}"] = np.convolve(obs[name], np.ones(5) / 5, mode="same")
    tasks = [Multiclass("structure", ("H", "E", "C")), Regression("exposure")]
    covariates = [
        CovariateInfo("position", "confounder", "continuous"),
        CovariateInfo("length", "confounder", "continuous"),
    ]
    covariates.append(CovariateInfo("source", "technical", "categorical"))
    loadings = rng.normal(0, 0.01, (6, 300))
    at = [i for i, name in enumerate(window_names()) if name.endswith("+0")]
    loadings[1, at] = of_residues("hydrophobicity", np.arange(20)) / 20
    latents = ad.AnnData(
        X=z.astype(np.float32),
        obs=obs,
        var=pd.DataFrame({"block": "axis", "stability": 0.95}, index=[f"z{d + 1:02d}" for d in range(6)]),
        obsm={"replica_0": z, "replica_1": z + rng.normal(0, 0.05, z.shape)},
        varm={"loadings": loadings},
        uns={
            "genes": np.array(window_names()),
            "mtlbio": json.dumps(
                {"tasks": [t.saved() for t in tasks], "covariates": [asdict(c) for c in covariates], "auxiliary": []}
            ),
        },
    )
    # the head of the structure leans on z01 and, a shortcut, on the data set
    weights = {"structure": np.zeros((8, 6)), "exposure": np.zeros((1, 6))}
    weights["structure"][0, 0], weights["exposure"][0, 1] = 3.0, -1.5
    eye = np.eye(6)
    axes = ResidueAxes(np.zeros(6), eye, eye, loadings, np.full(6, 1 / 6))
    heads = {}
    for name, w in weights.items():
        heads[name] = torch.nn.Linear(*w.shape[::-1], dtype=torch.float64)
        heads[name].load_state_dict({"weight": torch.tensor(w), "bias": torch.zeros(len(w))})
    kinds = {"structure": "secondary_structure", "exposure": "accessibility"}
    model = SimpleNamespace(
        networks=[SimpleNamespace(heads=heads)] * 2,
        axes=[axes, axes],
        tasks={name: residue_kind(kind)(name) for name, kind in kinds.items()},
        centre={},
    )
    return latents, model


@pytest.fixture(scope="module")
def examined(planted):
    return examine_residues(*planted, OPTIONS)


def test_every_planted_dimension_gets_its_verdict(examined):
    found = examined["verdicts"].set_index("dim")
    assert found.loc["z01", "verdict"] == "biology" and found.loc["z02", "verdict"] == "biology"
    assert found.loc["z02", "driver"] == "hydrophobicity"
    assert tuple(found.loc["z03", ["verdict", "driver"]]) == ("confounder", "position")
    assert tuple(found.loc["z04", ["verdict", "driver"]]) == ("confounder", "length")
    assert tuple(found.loc["z05", ["verdict", "driver"]]) == ("technical", "source")
    assert found.loc["z06", "verdict"] in ("unused", "underpowered")
    assert found.loc["z03", "share_position"] > 0.6 and found.loc["z05", "share_source"] > 0.6
    assert not found["why"].str.contains("donor").any()


def test_what_a_dimension_is_told_by(examined):
    found = examined["verdicts"].set_index("dim")
    assert found.loc["z02", "identity"] > 0.6 and found.loc["z02", "context"] < 0.1
    assert found.loc["z06", "identity"] < 0.05
    named = examined["enrichment"]
    own = named[(named["dim"] == "z02") & (named["set"] == "hydrophobicity")].iloc[0]
    assert own["names"] and own["correlation"] > 0.8 and own["ulm"] > 0.9


def test_removal_tells_what_the_heads_use(examined):
    removed = examined["ablation"].drop_duplicates(["dim", "task"]).set_index(["dim", "task"])["removal"]
    assert removed["z01", "structure"] == "harmful" and removed["z02", "exposure"] == "harmful"
    assert removed["z06", "exposure"] == "harmless"


def test_heads_answer_in_canonical_dimensions(planted):
    latents, model = planted
    held_out = HeldOutResidues(model, latents)
    told = held_out.predict_from_latents("structure", held_out.latents())
    assert told.shape == (2, CHAINS * EACH, 3) and np.allclose(told.sum(axis=2), 1)
    assert held_out.predict_from_latents("exposure", held_out.z).shape == (2, CHAINS * EACH)
    folds = folds_of(latents.obs["donor"])
    np.testing.assert_array_equal(held_out.fold, folds)
    assert pd.Series(folds).groupby(latents.obs["donor"].to_numpy()).nunique().max() == 1 and set(folds) == set(
        range(5)
    )


def test_too_few_chains_are_one_clear_line(planted):
    latents, model = planted
    few = latents[latents.obs["donor"].isin(["c00", "c01"])].copy()
    with pytest.raises(InputError, match="2 held-out chains; the trial needs 8 or more"):
        examine_residues(few, model, OPTIONS)
