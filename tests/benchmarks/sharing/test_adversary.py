"""With and without the adversary: the comparison differs in the adversary only, and scores what it says."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.sharing import adversary
from mtlbio.cohort.cohort import Cohort
from mtlbio.labels import Binary
from mtlbio.metrics.ranking import auroc


def small(folder):
    """The smallest planted cohort that goes all the way."""
    source = adversary.planted(folder, False, 0, donors=80, genes=300)
    training = {"epochs": 12, "seeds": 1, "genes": 300, "block": 2}
    probe = {"permutations": 99, "bootstrap": 100}
    return replace(source, run=adversary.changed(source.run, training=training, probe=probe))


def test_networks_differ_in_the_adversary_only(tmp_path):
    runs = adversary.networks(small(tmp_path).run, (0.3, 3.0))
    assert list(runs) == ["all paths", "none", "strength 0.3", "strength 3"]
    none = runs["none"].training
    assert none.paths == ["dense", "curved"] and none.adversary is None
    for name, strength in (("strength 0.3", 0.3), ("strength 3", 3.0)):
        own = runs[name].training
        assert own.adversary.covariate == "batch" and own.adversary.strength == strength
        assert own.model_copy(update={"adversary": None}) == none


def test_disease_is_scored_within_each_batch():
    rng = np.random.default_rng(0)
    y, batch = np.tile([0.0, 1.0], 20), np.repeat(["B1", "B2"], 20)
    pred = y + rng.normal(size=40) + 5 * (batch == "B2")  # an offset between the batches' networks is no skill
    tasks = {"disease": Binary("disease", ("control", "case"))}
    labels = np.array(["control", "case"], dtype=object)[y.astype(int)]
    donors = [f"d{i}" for i in range(40)]
    obs = pd.DataFrame({"donor": donors, "disease": labels, "batch": batch}, index=donors)
    cohort = Cohort(np.zeros((40, 1)), ("g",), obs, tasks)
    found = adversary.within_batches(cohort, pred, np.ones((2, 40)))
    own = [auroc(y[batch == b], pred[batch == b]) for b in ("B1", "B2")]
    assert found == pytest.approx(np.full(2, np.mean(own))) and np.mean(own) > auroc(y, pred)
    obs["disease"] = np.where(batch == "B1", "control", labels)
    assert adversary.within_batches(cohort, pred, np.ones((1, 40)))[0] == pytest.approx(own[1])


@pytest.mark.slow
def test_one_command_gives_one_row_per_network_and_keeps_what_it_trained(tmp_path):
    source = small(tmp_path)
    found = adversary.results_of(source, strengths=(1.0,))
    table = adversary.shown(found)
    assert list(table["adversary"]) == ["all paths", "none", "strength 1"]
    assert table["difference"].tolist()[1] == "" and "(" in table["difference"].tolist()[2]
    # the axes are found without the tasks, and no adversary reaches them
    assert found["none"]["axes"] == found["strength 1"]["axes"] > 0.9
    pd.testing.assert_frame_equal(table, adversary.shown(adversary.results_of(source, strengths=(1.0,))))
