"""Sentences of the step take the words of their run, and names that are such words stay what they are."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from mtlbio.cohort.cohort import Cohort, CovariateInfo, schema_json
from mtlbio.evaluation.label_noise import label_noise
from mtlbio.evaluation.predictions import TaskPredictions
from mtlbio.evaluation.reprobe import reprobe
from mtlbio.evaluation.residues.evaluate import WHOLE_CHAINS
from mtlbio.evaluation.transfer import sentence
from mtlbio.kinds.vocabulary import CHAINS, DONORS
from mtlbio.labels import Binary

FOUND = {"metric": "auroc", "multitask": 0.8, "singletask": 0.7, "gain": 0.1, "ci_low": 0.05, "ci_high": 0.2}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"n_donors": 1, "verdict": "helps"},
            "batch: learning the tasks together helps; AUROC 0.800 with all tasks and 0.700 alone, gain 0.100 (0.050 "
            "to 0.200, 95 % interval over 2 tasks), 1 labelled chain.",
        ),
        (
            {"n_donors": 16, "chance": True},
            "batch: neither network predicts it better than chance on 16 labelled chains, so nothing is helped or "
            "hurt; AUROC 0.800 with all tasks and 0.700 alone, gain 0.100 (0.050 to 0.200, 95 % interval over 2 "
            "tasks).",
        ),
        (
            {"n_donors": 0, "gain": np.nan},
            "batch: the two networks could not be compared: one was not trained (training.single_task) or predicted no "
            "labelled chain.",
        ),
    ],
)
def test_what_sharing_does_is_told_of_chains(changes, said):
    row = {"task": "batch", **FOUND, **changes}
    assert sentence(row, 2, 2, 0.02, CHAINS) == said
    assert sentence(row, 2, 2, 0.02) == said.replace("chain", "donor")


def test_labels_of_chains_are_tested_by_their_names():
    n, rng = 100, np.random.default_rng(0)
    names, y = np.array([f"c{i:03}" for i in range(n)]), rng.integers(0, 2, n).astype(float)
    info = Binary("donors", ("no", "yes"))
    arms = {"multitask": np.where(y == 1, 0.9, 0.1)}
    both = [
        TaskPredictions(info, names, names, y, arms),
        TaskPredictions(info, names[:9], names[:9], y[:9], {"multitask": y[:9]}),
    ]
    both.append(TaskPredictions(info, names, names, np.full(n, np.nan), arms))
    folds = pd.Series(np.arange(n) % 5, names)
    told = label_noise(both, folds, 0, CHAINS)["why"].tolist()
    assert told[0].startswith("donors: no sign of shuffled labels (100 labels of chains, AUROC 1.00); more than ")
    assert told[1:] == [
        "donors: 9 labels of chains are too few to test them; 30 chains and 5 of each class are needed.",
        "donors: no labelled chain was predicted, so its labels were not tested.",
    ]
    assert label_noise(both, folds, 0)["why"].tolist()[2] == (
        "donors: no labelled donor was predicted, so its labels were not tested."
    )


def test_a_data_set_that_is_read_from_chains_keeps_its_name():
    n, rng = 60, np.random.default_rng(1)
    batch = np.array(["b1", "b2"], dtype=object)[np.arange(n) % 2]
    obs = pd.DataFrame({"donor": [f"c{i:02}" for i in range(n)], "fold": 0}, index=[f"c{i:02}" for i in range(n)])
    obs["donors"], obs["genes"], obs["batch"] = batch, batch, 1.0
    obs.loc[obs.index[:3], "donors"] = None
    obs["genes"] = [f"g{i}" for i in range(n)]
    kinds = {"donors": "categorical", "genes": "categorical", "batch": "continuous"}
    covariates = {name: CovariateInfo(name, "technical", kind) for name, kind in kinds.items()}
    z = rng.normal(size=(n, 3)).astype(np.float32)
    var = pd.DataFrame({"block": ["axis"] * 3}, index=["z01", "z02", "z03"])
    schema = schema_json(Cohort(np.empty((n, 0)), (), obs, {}, covariates))
    latents = ad.AnnData(z, obs, var, {"mtlbio": schema})
    table = reprobe(latents, 50, 0, words=WHOLE_CHAINS).drop_duplicates("covariate").set_index("covariate")["why"]
    assert table["donors"].startswith("donors: a fresh linear classifier ") and " on 57 chains, " in table["donors"]
    assert table["donors"].endswith("; 3 chains without a value left out.")
    assert table["genes"] == "genes: fewer than two of its 60 levels have 5 chains, so nothing is read."
    assert table["batch"] == ("batch: 60 chains with a value, of which 10 are needed, or all values are the same.")
    of_donors = reprobe(latents, 50, 0, words=DONORS).drop_duplicates("covariate").set_index("covariate")["why"]
    assert of_donors["donors"].endswith("; 3 samples without a value left out.")
