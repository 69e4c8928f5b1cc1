"""Sites that exchange files by hand: the same study as in one process, and one line for whatever goes wrong."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml

from mtlbio.commands.federation import merge_updates, site_predict, site_update
from mtlbio.errors import InputError
from mtlbio.federation.rehearsal import federate, sites_of
from mtlbio.federation.wire import read_message
from mtlbio.kinds.read import read_run
from mtlbio.tables import PREDICTIONS, read_table

SITES = ("north", "south", "west")
LEVELS = {"pain": ["a", "b", "c"], "sex": ["f", "m"]}


def described(folder, federation):
    federation = {"study": "heart", "folds": 3, "levels": LEVELS} | federation
    return {
        "run": "heart",
        "features": {"path": str(folder), "numeric": ["age", "pressure"], "categories": ["pain"]},
        "metadata": {"sample": "patient", "donor": "patient"},
        "tasks": {"sick": {"kind": "binary", "positive": 1}, "stay": {"kind": "regression"}},
        "covariates": {"sex": {"role": "confounder"}},
        "federation": {"study": "heart", "folds": 3, "levels": {"pain": ["a", "b", "c"], "sex": ["f", "m"]}}
        | federation,
    }


@pytest.fixture(scope="module")
def hospitals(tmp_path_factory):
    """A file and a YAML of each hospital, and those of all together."""
    folder, rng, n = tmp_path_factory.mktemp("hospitals"), np.random.default_rng(0), 210
    place = np.repeat(SITES, n // 3)
    age, pain = rng.normal(60, 9, n).round(), rng.choice(["a", "b", "c"], n)
    eta = 0.08 * (age - 60) + (pain == "a") + (place == "west")
    table = pd.DataFrame({"patient": [f"p{i:03d}" for i in range(n)], "site": place, "age": age, "pain": pain})
    table["pressure"] = np.where(rng.random(n) < 0.2, np.nan, rng.normal(130, 15, n).round())
    table["sex"] = rng.choice(["f", "m"], n)
    table["sick"] = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(int)
    table["stay"] = (eta + rng.normal(size=n)).round(3)
    table.to_csv(folder / "all.csv", index=False)
    whole = described(folder / "all.csv", {"site": "site", "flips": 19})
    whole["covariates"]["site"] = {"role": "technical"}
    (folder / "all.yaml").write_text(yaml.safe_dump(whole))
    for site in SITES:
        table[table["site"] == site].to_csv(folder / f"{site}.csv", index=False)
        own = described(folder / f"{site}.csv", {"name": site, "flips": 19})
        (folder / f"{site}.yaml").write_text(yaml.safe_dump(own))
    return folder


def a_round(hospitals, folder, state, sites=SITES):
    """Updates of a round."""
    updates = [folder / f"update_{site}.npz" for site in sites]
    for site, update in zip(sites, updates, strict=True):
        site_update(hospitals / f"{site}.yaml", state if state.exists() else None, update)
    return updates


@pytest.fixture(scope="module")
def study(hospitals, tmp_path_factory):
    """A whole study by hand: folder, and what was said at every round."""
    folder = tmp_path_factory.mktemp("study")
    state, said = folder / "state.npz", []
    while not said or "is done" not in said[-1]:
        said.append(merge_updates(a_round(hospitals, folder, state), state))
    return folder, said


def test_by_hand_is_as_in_one_process(hospitals, study):
    folder, said = study
    by_hand = read_message(folder / "state.npz", "a state")
    together = federate(list(sites_of(read_run(hospitals / "all.yaml")).values()))
    assert by_hand.header["tasks"] == together.header["tasks"]
    for name, values in together.arrays.items():
        if not name.startswith("tests."):  # signs are of private keys
            np.testing.assert_array_equal(by_hand.arrays[name], values, err_msg=name)
    assert said[0].startswith("round 1 (means) asks north, south, west for 16 numbers each; keys, to be compared")
    assert said[-1] == f"heart is done: every site can call `mtlbio site-predict` with {folder / 'state.npz'}"
    assert 8 <= len(said) <= 25


def test_every_site_predicts_its_donors(hospitals, study, tmp_path):
    folder, _ = study
    said = site_predict(hospitals / "west.yaml", folder / "state.npz", tmp_path / "west")
    assert said[-1] == str(tmp_path / "west")
    table = read_table(tmp_path / "west" / "predictions.tsv", PREDICTIONS)
    assert len(table) == 70 * 2 * 2 and set(table["arm"]) == {"federated_shared", "federated_private"}
    sick = table[table["task"] == "sick"]
    assert sick["y_pred"].between(0, 1).all() and set(sick["y_true"]) == {0, 1}
    mean = sick.groupby("y_true")["y_pred"].mean()
    assert mean[1] > mean[0]
    slopes = pd.read_csv(tmp_path / "west" / "slopes.tsv", sep="\t")
    chosen = slopes[slopes["task"] == "stay"].set_index("column")["slope"]
    assert chosen["age"] == chosen.max() and chosen["pain=a"] > chosen["pain=b"]
    found = pd.read_csv(tmp_path / "west" / "association.tsv", sep="\t")
    assert len(found) == 2 * len(chosen) and found["p_wald"].between(0, 1).all()


def test_the_wire_names_no_patient(study):
    folder, _ = study
    for path in folder.glob("*.npz"):
        assert b"p00" not in json.dumps(read_message(path, "").header).encode()


def test_a_site_that_is_gone(hospitals, tmp_path):
    state = tmp_path / "state.npz"
    for _ in range(3):
        merge_updates(a_round(hospitals, tmp_path, state), state)
    updates = a_round(hospitals, tmp_path, state, SITES[:2])
    before = state.read_bytes()
    line = "^round 3: no update of west; wait for it, or --without west: the study then begins again without it$"
    with pytest.raises(InputError, match=line):
        merge_updates(updates, state)
    assert state.read_bytes() == before
    said = merge_updates([], state, ["west"])
    assert said.startswith("begins again without west, as attempt 2; round 1 (means) asks north, south for 16 numbers")
    with pytest.raises(
        InputError, match=r"update_north.npz: of round 3 \(attempt 0\); expected round 1 \(attempt 1\)$"
    ):
        merge_updates(updates, state)
    with pytest.raises(InputError, match="state.npz: without west; valid: north, south$"):
        site_update(hospitals / "west.yaml", state, tmp_path / "update_west.npz")
    for _ in range(2):
        merge_updates(a_round(hospitals, tmp_path, state, SITES[:2]), state)
    parts = sites_of(read_run(hospitals / "all.yaml"))
    x = np.concatenate([parts[name].x for name in SITES[:2]])
    arrays = read_message(state, "a state").arrays
    np.testing.assert_allclose(arrays["mean"], np.nanmean(x, axis=0), rtol=1e-12)
    np.testing.assert_allclose(arrays["variance"], np.nanvar(x, axis=0), rtol=1e-12)


def test_what_is_of_another_round_or_study_is_refused(hospitals, study, tmp_path):
    state = tmp_path / "state.npz"
    joining = a_round(hospitals, tmp_path, state)
    with pytest.raises(InputError, match="^federation.name: found north, north, south; valid: each site once$"):
        merge_updates([joining[0], *joining[:2]], state)
    with pytest.raises(InputError, match="^federation.name: found north alone; expected two sites or more$"):
        merge_updates(joining[:1], state)
    merge_updates(joining, state)
    with pytest.raises(InputError, match="update_north.npz: lets a site join, but the study is in round 1; make it"):
        merge_updates(joining, state)
    updates = a_round(hospitals, tmp_path, state)
    with pytest.raises(InputError, match="^round 1: two updates of north; expected one of each site$"):
        merge_updates([*updates, updates[0]], state)
    merge_updates(updates, state)
    with pytest.raises(InputError, match=r"north.npz: of round 1 \(attempt 0\); expected round 2 \(attempt 0\)$"):
        merge_updates(updates, state)
    with pytest.raises(InputError, match="state.npz: in round 2 \\(scales\\); expected a study that is done$"):
        site_predict(hospitals / "west.yaml", state, tmp_path / "out")
    with pytest.raises(
        InputError, match="update_north.npz: of round 1, but there is no state yet; expected updates that join$"
    ):
        merge_updates(updates, tmp_path / "new.npz")
    with pytest.raises(InputError, match="^--without: found 'east'; valid: north, south, west$"):
        merge_updates([], state, ["east"])


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"name": None}, "north.yaml: federation.name: missing; expected the name of this site$"),
        ({"floor": 6}, "north.yaml: federation: differs from the study's floor; valid: as all sites$"),
        ({"study": "lungs"}, "state.npz: of another study; expected 'lungs'$"),
        (
            {"levels": {"pain": ["a", "b"], "sex": ["f", "m"]}},
            r"column 'pain': found c; valid: a, b \(federation.levels",
        ),
        ({"levels": {"sex": ["f", "m"]}}, "^federation.levels.pain: missing; expected the levels of this category"),
        ({"rare": 3}, "federation.rare: found 3, below floor \\(5\\); expected the floor or more$"),
        ({"site": "site"}, "federation.site: found beside federation.name; valid: one of the two$"),
    ],
)
def test_a_site_of_other_options_is_refused(hospitals, study, tmp_path, change, line):
    content = yaml.safe_load((hospitals / "north.yaml").read_text())
    content["federation"] = {k: v for k, v in (content["federation"] | change).items() if v is not None}
    (tmp_path / "north.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(InputError, match=line):
        site_update(tmp_path / "north.yaml", study[0] / "state.npz", tmp_path / "update.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["north.yaml"]


def test_files_that_are_something_else_are_refused(hospitals, study, tmp_path):
    folder, _ = study
    yaml_file, out = hospitals / "north.yaml", tmp_path / "out.npz"
    with pytest.raises(
        InputError, match="update_north.npz: found no state; expected a state that `mtlbio merge-updates`"
    ):
        site_update(yaml_file, folder / "update_north.npz", out)
    with pytest.raises(InputError, match="state.npz: the study is done; `mtlbio site-predict` is next$"):
        site_update(yaml_file, folder / "state.npz", out)
    with pytest.raises(InputError, match="^--out: found .*state.npz, which is the state too; expected another file$"):
        site_update(yaml_file, folder / "state.npz", folder / "state.npz")
    with pytest.raises(InputError, match="state.npz: header of asks, attempt, columns, dims"):
        merge_updates([folder / "state.npz"], tmp_path / "new.npz")
    assert list(tmp_path.iterdir()) == []


def test_another_key_is_refused(hospitals, study, tmp_path):
    (tmp_path / "north.yaml").write_text((hospitals / "north.yaml").read_text())
    with pytest.raises(InputError, match="heart.north.key: not the key that north joined with; without it the study"):
        site_update(tmp_path / "north.yaml", study[0] / "state.npz", tmp_path / "update.npz")
