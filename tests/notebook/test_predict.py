"""New samples in memory: the predictions of the command line, from a result, a folder or a run."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from small_notebook import planted

import mtlbio as mb
from mtlbio import door
from mtlbio.errors import InputError


@pytest.fixture(scope="module")
def saved(trained, tmp_path_factory):
    return trained[1].save(tmp_path_factory.mktemp("saved"))


@pytest.fixture
def new() -> ad.AnnData:
    """Ten samples, their genes in another order, one of them missing."""
    adata = planted()[10:20, np.random.default_rng(0).permutation(300)[:-1]].copy()
    adata.obs_names = [f"new{i}" for i in range(10)]
    return adata


def test_every_door_gives_the_same_predictions(trained, saved, new, tmp_path):
    found = mb.predict(trained[1], new)
    assert found["sample"].nunique() == 10 and found.groupby("task").size().to_dict() == {"age": 10, "disease": 10}
    assert found.query("task == 'disease'")["y_pred"].between(0, 1).all() and (found["y_sd"] >= 0).all()
    pd.testing.assert_frame_equal(mb.predict(saved, new), found)
    pd.testing.assert_frame_equal(mb.predict(str(saved), new.to_df()), found)
    pd.testing.assert_frame_equal(mb.predict(trained[1].run, new, results=saved), found)
    new.write_h5ad(tmp_path / "new.h5ad")
    pd.testing.assert_frame_equal(mb.predict(trained[1], tmp_path / "new.h5ad"), found)
    of_command = door.predict(trained[1].run, tmp_path / "new.h5ad", saved, tmp_path / "out")
    pd.testing.assert_frame_equal(of_command, found)


def test_own_means_need_ten_samples(trained, new):
    rescaled = mb.predict(trained[1], new, standardise="cohort")
    assert not np.allclose(rescaled["y_pred"], mb.predict(trained[1], new)["y_pred"])
    with pytest.raises(InputError, match='new: standardise="cohort" needs 10 samples or more'):
        mb.predict(trained[1], new[:9], standardise="cohort")


def test_what_does_not_fit_is_one_line(trained, new, tmp_path):
    result = trained[1]
    for model, samples, line in (
        (result, new[:, :30], "genes found"),
        (result, new[:, :30], "anyway=True predicts nevertheless"),
        (result, 2.0 ** new.to_df(), "new: "),
        (result, new.to_df().assign(**{new.var_names[0]: "high"}), f"new: column '{new.var_names[0]}' holds text"),
        (result, pd.concat([new.to_df()] * 2), "stand twice"),
        (result, 3, "new: found int; expected an AnnData, a DataFrame or the path of a file"),
        (result, tmp_path / "none.h5ad", "no such file"),
        (tmp_path, new, "no trained model in it"),
        (3, new, "model: found int; expected what mtlbio.train gave"),
    ):
        with pytest.raises(InputError) as caught:
            mb.predict(model, samples)
        assert "\n" not in str(caught.value) and line in str(caught.value)
    with pytest.raises(InputError, match="standardise: found 'own'; valid: training, cohort"):
        mb.predict(result, new, standardise="own")
